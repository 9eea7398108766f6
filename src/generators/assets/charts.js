// Charts: the numbers as a table for those who ask, and Chart.js over the drawing of the page where it is at hand.
// The drawing keeps axes, names and values; only its marks give way, so that nothing moves and nothing is ever empty.
(function (FinOps) {
  "use strict";
  const CDN = "https://cdn.jsdelivr.net/npm/chart.js@4.4.1/dist/chart.umd.js", OWN = "/static/chart.umd.js";
  const HASH = "sha384-dug+JxfBvklEQdJ4AYuBBAIScUz0bVN73xpy273gcAwHjb3qI0fXmuYNaNfdyYJG";
  const WAIT_MS = 10000, COLOURS = 8, LONGEST_TITLE = 40, MOST_CIRCLES = 150;
  const { all, make, one } = FinOps, known = new Map();
  let library = null, watcher = null;

  // The numbers of a chart

  function numbers(data, title) {
    const ends = ["low", "high"].filter(end => data[end]).map(end => (
      { name: end === "low" ? "Low" : "High", kind: data.series[0].kind, values: data[end] }));
    const parted = data.type === "heat_map" || data.follows && Object.keys(data.follows)[0];
    const columns = data.series.concat(ends), grouped = data.groups && data.groups.length;
    const heading = (text, scope, name) => make("th", { scope, className: name || "", textContent: text });
    const head = make("tr", {}, heading(data.label || "Name", "col"));
    if (grouped) head.append(heading("Group", "col"));
    head.append(...columns.map(column => heading(column.name, "col", "number")));
    const body = make("tbody", {}, ...data.labels.map((label, row) => {
      const line = make("tr", {}, heading(label, "row"));
      if (grouped) line.append(make("td", { textContent: data.groups[data.group[row]] }));
      line.append(...columns.map(column => {
        const value = column.values[row];
        return make("td", { className: "number", textContent: value === null && parted ? "" : FinOps.format(value, column.kind) });
      }));
      return line;
    }));
    return make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "Numbers: " + title },
      make("table", {}, make("thead", {}, head), body));
  }

  // Chart.js: from the viewer where it has a copy, else from the network where there is one

  async function address() {
    if (location.protocol.startsWith("http")) {
      const answer = await fetch("manifest.json").catch(() => null);
      if (answer?.ok && (await answer.json()).chartjs) return OWN;
    }
    if (!navigator.onLine) throw Error("offline");
    return CDN;
  }

  function load() {
    return library ||= window.Chart ? Promise.resolve() : address().then(url => new Promise((done, failed) => {
      document.head.append(make("script", { crossOrigin: "anonymous", integrity: HASH, onload: done, onerror: failed, src: url }));
      setTimeout(failed, WAIT_MS);
    }));
  }

  // The marks of each type of chart; axes have the ends of the drawing's, and nothing to see

  function bars(data, colours) {
    const across = data.standing ? "y" : "x", stacked = data.type === "stacked_bars", several = !stacked && data.series.length > 1;
    const thick = several || stacked ? 12 : 8, scale = axis => ({ display: false, stacked, ...axis });
    return {
      type: "bar",
      sets: data.series.map((series, index) => ({
        data: series.values, backgroundColor: stacked ? colours.of(index) : each(data, row => colours.of(index, data.rest && row)),
        borderColor: colours.card, borderRadius: stacked ? 0 : 2, borderSkipped: false,
        ...(data.standing ? { categoryPercentage: 1, barPercentage: .72 } : {
          barThickness: several ? thick + 4 : thick,
          borderWidth: several ? { top: 2, bottom: 2 } : stacked ? { left: .75, right: .75 } : 0,
        }),
      })),
      options: {
        indexAxis: data.standing ? "x" : "y", interaction: { mode: "index", axis: data.standing ? "x" : "y", intersect: false },
        scales: { x: scale(), y: scale(), [across]: scale({ min: data.range[0], max: data.range[1] }) },
      },
    };
  }

  function lines(data, colours) {
    const points = values => values.map((y, row) => ({ x: data.places[row], y: y }));
    const lastOf = values => values.reduce((found, value, row) => value === null ? found : row, -1);
    const sets = data.series.map((series, index) => {
      const base = data.follows[index], expected = base !== undefined, colour = colours.of(expected ? base : index);
      const values = series.values.slice(), before = expected ? data.series[base].values : [], joint = lastOf(before);
      if (joint >= 0 && values[joint] === null) values[joint] = before[joint];
      return {
        data: points(values), borderColor: colour, backgroundColor: colour, borderWidth: 2, borderJoinStyle: "round",
        borderDash: expected ? [5, 4] : [], pointRadius: each(data, row => data.dots[index].includes(row) ? 3.5 : 0),
        pointBorderColor: colours.card, pointBorderWidth: 1.5, pointHoverRadius: 4.5,
      };
    });
    const band = { borderWidth: 0, pointRadius: 0, pointHoverRadius: 0, backgroundColor: faint(colours.of(0), "24") };
    if (data.low) sets.push({ ...band, data: points(data.high), fill: "+1" }, { ...band, data: points(data.low) });
    return {
      type: "line", sets,
      options: {
        interaction: { mode: "index", intersect: false }, clip: false,
        scales: {
          x: { type: "linear", display: false, min: 0, max: 1000 },
          y: { display: false, min: data.range[0], max: data.range[1] },
        },
      },
    };
  }

  function round(data, colours) {
    return {
      type: data.type,
      sets: [{
        data: data.series[0].values, borderColor: colours.card, borderWidth: 1.5,
        backgroundColor: each(data, row => colours.of(row, data.rest && row)),
      }],
      options: { cutout: data.type === "pie" ? 0 : "64.6%", layout: { padding: 4 } },
    };
  }

  function scatter(data, colours) {
    const [across, up] = data.series, type = data.logarithmic ? "logarithmic" : "linear";
    const axis = range => ({ type, display: false, min: range[0], max: range[1] });
    return {
      type: "scatter",
      sets: [{
        data: each(data, row => ({ x: across.values[row], y: up.values[row] })), pointRadius: data.labels.length > MOST_CIRCLES ? 3 : 5,
        pointHoverRadius: 7,
        backgroundColor: each(data, row => faint(colours.of(data.group[row]), "99")), borderColor: colours.card, clip: false,
      }],
      options: { scales: { x: axis(data.across), y: axis(data.range) } },
    };
  }

  const TYPES = { bars, stacked_bars: bars, lines, doughnut: round, pie: round, scatter };

  const each = (data, value) => data.labels.map((_, row) => value(row));
  const faint = (colour, alpha) => /^#[0-9a-f]{6}$/i.test(colour) ? colour + alpha : colour;

  function palette(figure, data) {
    const style = getComputedStyle(figure), get = name => style.getPropertyValue("--" + name).trim();
    const rest = faint(get("soft"), "b3"), last = data.labels.length - 1;
    return {
      ink: get("ink"), soft: get("soft"), edge: get("edge"), card: get("card"), font: style.fontFamily,
      of: (index, row) => row && row === last ? rest : get("s" + index % COLOURS),
    };
  }

  function tooltip(figure, data, colours) {
    const shares = all(".parts .share", figure).map(share => share.textContent), points = data.type === "scatter";
    const text = (series, row) => (shares.length ? "" : series.name + ": ") + FinOps.format(series.values[row], series.kind);
    const of = item => data.series[item.datasetIndex];
    const band = (row, kind) => data.low && data.low[row] !== null
      ? FinOps.format(data.low[row], kind) + " to " + FinOps.format(data.high[row], kind) : "";
    const shorter = label => label.length > LONGEST_TITLE ? label.slice(0, LONGEST_TITLE - 1) + "\u2026" : label;
    return {
      backgroundColor: colours.card, titleColor: colours.ink, bodyColor: colours.ink, footerColor: colours.soft,
      borderColor: colours.edge, borderWidth: 1, padding: 10, cornerRadius: 6, boxPadding: 4, footerFont: { weight: "normal" },
      filter: item => points || item.datasetIndex < data.series.length && of(item).values[item.dataIndex] !== null,
      callbacks: {
        title: items => items.length ? shorter(data.labels[items[0].dataIndex]) : "",
        label: item => points ? data.series.map(series => text(series, item.dataIndex))
          : text(of(item), item.dataIndex) + (shares.length ? ", " + shares[item.dataIndex] : ""),
        footer: items => items.length ? band(items[0].dataIndex, data.series[0].kind) : "",
      },
    };
  }

  function draw(figure) {
    const entry = known.get(figure);
    if (!entry || !window.Chart) return;
    release(entry);
    const data = entry.data, colours = palette(figure, data), made = TYPES[data.type](data, colours), canvas = make("canvas", {});
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches, [left, top, bottom] = data.inset;
    entry.overlay = make("div", { className: "canvas", ariaHidden: true }, canvas);
    one(".stage", figure).append(entry.overlay);
    entry.chart = new window.Chart(canvas, {
      type: made.type, data: { labels: data.labels, datasets: made.sets },
      options: {
        responsive: true, maintainAspectRatio: false, animation: false, layout: { autoPadding: false, padding: { left, top, bottom } },
        transitions: { active: { animation: { duration: calm ? 0 : 150 } } }, font: { family: colours.font },
        ...made.options, plugins: { legend: { display: false }, tooltip: tooltip(figure, data, colours) },
      },
    });
    figure.classList.add("drawn");
  }

  function release(entry) {
    if (!entry.chart) return;
    entry.figure.classList.remove("drawn");
    entry.chart.destroy();
    entry.overlay.remove();
    entry.chart = null;
  }

  function seen(entries) {
    for (const entry of entries.filter(found => found.isIntersecting)) {
      watcher.unobserve(entry.target);
      load().then(() => draw(entry.target)).catch(() => {});
    }
  }

  FinOps.charts = {
    // Takes charge of the charts under an element; `data` is that of the page.
    start(root, data) {
      watcher = watcher || new IntersectionObserver(seen, { rootMargin: "200px" });
      for (const figure of all("figure[data-chart]", root)) {
        const chart = data.charts[figure.dataset.chart], details = one("details.numbers", figure);
        if (!chart) continue;
        details.hidden = false;
        details.addEventListener("toggle", () => {
          if (details.open && details.children.length < 2) details.append(numbers(chart, one("h3", figure).textContent));
        });
        known.set(figure, { figure, data: chart, chart: null });
        if (TYPES[chart.type]) watcher.observe(figure);
      }
    },
    // Lets go of them, before the element is replaced.
    stop(root) {
      for (const [figure, entry] of [...known].filter(([figure]) => root.contains(figure))) {
        watcher.unobserve(figure);
        release(entry);
        known.delete(figure);
      }
    },
  };

  document.addEventListener("themechange", () => {
    for (const [figure, entry] of known) if (entry.chart) draw(figure);
  });
})(window.FinOps);
