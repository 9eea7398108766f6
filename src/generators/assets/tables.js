// Tables: sorted, filtered, turned sheet by sheet, and downloaded.
(function (FinOps) {
  "use strict";
  const { all, button, make, one } = FinOps, page = document, words = new Intl.Collator("en", { numeric: true });
  const count = value => FinOps.format(value, "count");

  class Table {
    constructor(id, data, box) {
      Object.assign(this, { id, data, box, columns: data.columns, texts: [], sheet: 0, filter: "", sort: -1 });
      this.columns.forEach(column => { column.numeric = FinOps.isNumeric(column.kind); });
      this.length = data.columns[0].values.length;
      this.title = one("caption", box).textContent;
      this.scroll = one(".scroll", box);
      this.heads = this.length > 1 ? all("thead th", box) : [];
      this.heads.forEach((head, place) => {
        const text = head.textContent;
        head.textContent = "";
        head.append(button(id + "-sort-" + place, text, () => this.sortBy(place), "sort"));
      });
      this.addTools();
      this.order();
    }

    addTools() {
      this.status = make("p", { className: "count", role: "status" });
      this.input = make("input", {
        id: this.id + "-filter", type: "search", placeholder: "Filter", autocomplete: "off", ariaLabel: "Filter " + this.title,
        hidden: this.length < 9, oninput: () => this.change({ filter: this.input.value, sheet: 0 })
      });
      const csv = button(this.id + "-csv", "CSV", () => this.download());
      csv.ariaLabel = "Download " + this.title + " as CSV";
      this.scroll.before(make("div", { className: "tools" }, this.input, this.status, csv));
      this.turn = make("div", { className: "turn" });
      this.scroll.after(this.turn);
      const note = one(".rows", this.box);
      if (this.length < this.data.total) note.textContent = note.dataset.carried;
      else note?.remove();
    }

    // The largest number or the first word comes first, then the other way round, then the order of the results again.
    sortBy(place) {
      const down = this.columns[place].numeric;
      if (this.sort !== place) this.change({ sort: place, down, sheet: 0 });
      else this.change(this.down === down ? { down: !down, sheet: 0 } : { sort: -1, sheet: 0 });
    }

    change(state) {
      Object.assign(this, state);
      this.order();
      this.draw();
    }

    text(row) {
      if (!this.texts[row]) {
        this.texts[row] = this.columns.map(column => shown(column, row) + "\n" + column.values[row]).join("\n").toLowerCase();
      }
      return this.texts[row];
    }

    // Which rows the filter leaves, in their order; unknown values stand last either way.
    order() {
      const wanted = this.filter.toLowerCase().split(/\s+/), column = this.columns[this.sort];
      this.rows = [...Array(this.length).keys()].filter(row => !this.filter || wanted.every(word => this.text(row).includes(word)));
      if (column) {
        const values = column.values, sign = this.down ? -1 : 1;
        const compare = column.numeric ? FinOps.compare : words.compare;
        this.rows.sort((a, b) => (values[a] === null) - (values[b] === null)
          || values[a] !== null && sign * compare(values[a], values[b]) || a - b);
      }
      this.sheet = Math.max(0, Math.min(this.sheet, Math.ceil(this.rows.length / this.data.sheet) - 1));
      this.status.textContent = this.rows.length < this.length ? count(this.rows.length) + " of " + count(this.length)
        : count(this.length) + (this.length > 1 ? " rows" : " row");
      this.heads.forEach((head, place) => {
        head.ariaSort = place === this.sort ? this.down ? "descending" : "ascending" : null;
      });
      this.drawTurn();
    }

    drawTurn() {
      const { sheet, whole, turn } = this, size = this.data.sheet, left = this.rows.length, first = sheet * size;
      const held = turn.contains(page.activeElement) && page.activeElement.id;
      const step = (name, text, state, disabled) => Object.assign(button(this.id + "-" + name, text, () => this.change(state)),
        { disabled, ariaLabel: (text[1] ? text : name) + " rows of " + this.title });
      turn.textContent = "";
      if (left <= size) return;
      if (!whole) {
        turn.append(step("previous", "\u2190", { sheet: sheet - 1 }, !sheet),
          make("span", {}, count(first + 1) + "\u2013" + count(Math.min(left, first + size)) + " of " + count(left)),
          step("next", "\u2192", { sheet: sheet + 1 }, first + size >= left));
      }
      turn.append(step("all", whole ? "Show " + size : "Show all", { whole: !whole, sheet: 0 }));
      if (held) (all("button:enabled", turn).find(each => each.id === held) || one("button:enabled", turn)).focus({ preventScroll: true });
    }

    draw() {
      const { sheet, data, rows, columns } = this, first = sheet * data.sheet, body = one("tbody", this.box);
      body.textContent = "";
      body.append(...(this.whole ? rows : rows.slice(first, first + data.sheet)).map(row => this.line(row)));
      if (!rows.length) {
        body.append(make("tr", {}, make("td", { className: "muted", colSpan: columns.length }, "No row holds \u201c" + this.filter + "\u201d.")));
      }
      fit(this.scroll);
    }

    line(row) {
      const id = this.rowId(row);
      return make("tr", id ? { id } : {}, ...this.columns.map((column, place) => {
        const value = column.values[row], text = shown(column, row), digits = FinOps.full(value, column.kind);
        const cell = make(place ? "td" : "th", {}, ...inside(column, row, FinOps.fit(text)));
        if (!place) cell.scope = "row";
        if (column.look) cell.className = column.look;
        if (digits && digits !== text) cell.title = digits;
        return cell;
      }));
    }

    rowId(row) {
      const ids = this.data.ids;
      return ids && named(ids, row, this.columns[ids.column].values[row]);
    }

    csv() {
      const lines = this.rows.map(row => this.columns.map(column => csvCell(column.values[row], column.numeric)));
      return [this.columns.map(column => csvCell(column.name)), ...lines].map(cells => cells.join() + "\r\n").join("");
    }

    download() {
      const href = URL.createObjectURL(new Blob([this.csv()], { type: "text/csv" }));
      make("a", { href, download: page.body.dataset.report + "-" + this.data.name + ".csv" }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60000);
    }

    // Turns to the row of an id; false where the table has none.
    reveal(id) {
      const row = this.columns[0].values.findIndex((_, row) => this.rowId(row) === id);
      if (row < 0) return false;
      if (!this.rows.includes(row)) this.restore({ filter: "" });
      this.change({ sheet: Math.floor(this.rows.indexOf(row) / this.data.sheet) });
      return true;
    }

    state() {
      const { sheet, filter, sort, down, whole } = this;
      return { sheet, filter, sort: sort < 0 ? "" : this.columns[sort].name, down, whole };
    }

    restore(state) {
      if ("sort" in state) state.sort = this.columns.findIndex(column => column.name === state.sort);
      this.input.value = state.filter;
      this.change(state);
    }
  }

  // A row's name is its value behind a prefix, or one of those that are not.
  const named = (names, row, value) => row in names.odd ? names.odd[row] : value === null ? null : names.prefix + value;

  function shown(column, row) {
    const text = FinOps.format(column.values[row], column.kind);
    return column.kind === "badge" ? text.replace(/_/g, " ") : text;
  }

  function inside(column, row, text) {
    const value = column.values[row], largest = Number(column.largest);
    if (value === null) return [make("span", { className: "muted" }, text)];
    if (column.kind === "badge") {
      const word = /^[\w-]+$/.test(value) ? value : "other";
      return [make("span", { className: "badge " + (column.name.endsWith("severity") ? "severity-" : "is-") + word }, text)];
    }
    if (largest) return isNaN(value) ? [text] : [text, bar(Number(value), largest)];
    const href = column.links && named(column.links, row, value);
    return href ? [make("a", { href }, text)] : [text];
  }

  function bar(value, largest) {
    const draw = (tag, attributes) => {
      const made = page.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const name in attributes) made.setAttribute(name, attributes[name]);
      return made;
    };
    const svg = draw("svg", { class: value < 0 ? "bar below" : "bar", "aria-hidden": true });
    svg.append(draw("rect", { width: (Math.abs(value) / largest * 100).toFixed(1) + "%", height: 4 }));
    return svg;
  }

  // A text that a spreadsheet would run as a formula begins with an apostrophe; numbers are left as they are.
  function csvCell(value, numeric) {
    if (value === null) return "";
    let text = String(value);
    if (!(numeric && !isNaN(value)) && /^[=+\-@\t\r]/.test(text)) text = "'" + text;
    return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }

  // A table that fits needs no scrolling of its own, and its head can stay under the top bar.
  function fit(scroll) {
    scroll.classList.remove("fits");
    const fits = scroll.scrollWidth <= scroll.clientWidth;
    scroll.classList.toggle("fits", fits);
    scroll.tabIndex = fits ? -1 : 0;
  }

  const fitAll = () => all(".scroll").forEach(fit);

  Object.assign(FinOps, { Table, fitAll });
})(window.FinOps);
