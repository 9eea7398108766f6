// What every page does beyond being read: theme, places on the page, and its own refresh.
// Pages with tables or charts carry scripts for these behind this one, which use its helpers.
window.FinOps = window.FinOps || {};
(function (FinOps) {
  "use strict";
  const REFRESH_MS = 15000;
  const page = document, root = page.documentElement;
  const all = (selector, from) => [...(from || page).querySelectorAll(selector)];
  const one = (selector, from) => (from || page).querySelector(selector);
  const byId = id => page.getElementById(id);
  const make = (tag, properties, ...inside) => {
    const made = Object.assign(page.createElement(tag), properties);
    made.append(...inside);
    return made;
  };
  const button = (id, text, onclick, className) => make("button", { id, onclick, type: "button", className: className || "quiet" }, text);
  let report = {}, tables = new Map();

  // Goes to the place that the address names, also on a sheet of a table that is not turned to.
  function jump() {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch (_) { return; }
    all(".marked").forEach(row => row.classList.remove("marked"));
    if (!id || !byId(id) && ![...tables.values()].some(table => table.reveal(id))) return;
    const found = byId(id);
    for (let up = found; up; up = up.parentElement) if (up.localName === "details") up.open = true;
    if (found.localName !== "tr") return;
    found.classList.add("marked");
    found.scrollIntoView({ block: "center" });
  }

  // Theme: the system's, light or dark, remembered where that is allowed.
  const THEMES = { system: "\u25d0 System", light: "\u2600\ufe0e Light", dark: "\u263e Dark" }, NAMES = Object.keys(THEMES);
  let theme = "system";

  function setTheme(name) {
    theme = name;
    if (name === "system") delete root.dataset.theme;
    else root.dataset.theme = name;
    page.dispatchEvent(new Event("themechange"));
  }

  function themeButton() {
    const made = button("theme", THEMES[theme], () => {
      setTheme(NAMES[(NAMES.indexOf(theme) + 1) % 3]);
      made.textContent = THEMES[theme];
      try { localStorage.setItem("theme", theme); } catch (_) { return; }
    });
    made.title = "Theme: system, light or dark";
    matchMedia("(prefers-color-scheme: dark)").onchange = () => setTheme(theme);
    return made;
  }

  // The places of the page, under its name in the navigation, with the one that is read marked.
  let spy = null;

  function startPlaces() {
    const heads = all("main section > h2[id]"), current = one(".nav .current"), seen = new Set(), links = new Map();
    spy?.disconnect();
    all(".places").forEach(old => old.remove());
    if (!current || heads.length < 2) return;
    const list = make("ul", { className: "places" });
    for (const head of heads) {
      const link = make("a", { href: "#" + head.id }, head.textContent);
      links.set(head.parentElement, link);
      list.append(make("li", {}, link));
    }
    current.after(list);
    spy = new IntersectionObserver(changes => {
      for (const change of changes) seen[change.isIntersecting ? "add" : "delete"](change.target);
      const read = [...links.keys()].find(section => seen.has(section));
      links.forEach((link, section) => { link.ariaCurrent = section === read ? "location" : null; });
    }, { rootMargin: "-20% 0px -60%" });
    links.forEach((_, section) => spy.observe(section));
  }

  // A page that is served asks whether its data changed, and takes over what did; one from disk does not.
  let live = null, timer = 0, known = null;

  const clock = () => new Date().toTimeString().slice(0, 8);
  const meta = (name, from) => one(`meta[${name}]`, from)?.content;
  const parts = from => meta("http-equiv", from) + all("head > script:not([src]), head > style", from).length;

  function tell(text, isLost = false) {
    live.textContent = text;
    live.classList.toggle("lost", isLost);
  }

  async function get(name) {
    const answer = await fetch(name, { cache: "no-cache" });
    if (!answer.ok) throw answer;
    return answer;
  }

  async function refresh() {
    clearTimeout(timer);
    if (page.hidden) return;
    try {
      const reports = (await (await get("manifest.json")).json()).reports, own = reports.find(entry => entry.id === report.id);
      // A page that was made for one question.
      if (!own && report.id !== "index") return live.remove();
      const digest = own ? own.digest : reports.map(entry => entry.id + entry.digest).join();
      if (digest !== (known || report.digest)) await takeOver();
      known = digest;
      if (live.classList.contains("lost")) tell("live");
    } catch (error) {
      if (error.status === 404) return live.remove();
      if (!live.classList.contains("lost")) tell("no answer since " + clock(), true);
    }
    clearTimeout(timer);
    timer = setTimeout(refresh, REFRESH_MS);
  }

  async function takeOver() {
    const fresh = new DOMParser().parseFromString(await (await get(location.href)).text(), "text/html");
    const main = one("main"), data = fresh.getElementById("data");
    if (!data || meta("name=digest", fresh) === meta("name=digest")) return;
    // Scripts and styles come with a new page only: others, or more of them for a first table or chart.
    if (parts(fresh) !== parts(page)) return location.reload();
    const putBack = keep(main);
    root.classList.add("settled");
    FinOps.charts?.stop(main);
    main.replaceWith(page.adoptNode(one("main", fresh)));
    byId("data").textContent = data.textContent;
    one("meta[name=digest]").content = meta("name=digest", fresh);
    page.title = fresh.title;
    startPage();
    putBack();
    tell("updated " + clock());
  }

  // Remembers what the reader has set, and returns how to set it again.
  function keep(main) {
    const active = page.activeElement, top = scrollY, selection = [active.selectionStart, active.selectionEnd];
    const states = [...tables].map(([id, table]) => [id, table.state()]), marked = one(".marked", main);
    const focused = main.contains(active) && (active.id ? () => byId(active.id) : where(active));
    const held = all("details", main).map(old => [where(old), { open: old.open }]).concat(
      all(".scroll", main).map(old => [where(old), { scrollLeft: old.scrollLeft, scrollTop: old.scrollTop }]));
    return () => {
      states.forEach(([id, state]) => tables.get(id)?.restore(state));
      held.forEach(([find, values]) => Object.assign(find() || {}, values));
      byId(marked?.id)?.classList.add("marked");
      const target = focused && focused();
      target?.focus({ preventScroll: true });
      if (target?.localName === "input") target.setSelectionRange(...selection);
      scrollTo({ top, behavior: "instant" });
    };
  }

  // How to find an element again: by the id above it, and its number among its like below that.
  function where(element) {
    const home = element.parentElement.closest("[id]").id, name = element.localName, number = all(name, byId(home)).indexOf(element);
    return () => byId(home) && all(name, byId(home))[number];
  }

  // Long lists are whole without scripts and in print.
  const fold = isOpen => all(".more").forEach(more => { more.open = isOpen; });

  function startPage() {
    const data = JSON.parse(byId("data").textContent);
    report = data.report;
    FinOps.useSign?.(data.sign || "$");
    tables = new Map();
    for (const id in data.tables) tables.set(id, new FinOps.Table(id, data.tables[id], byId(id)));
    FinOps.fitAll?.();
    startPlaces();
    fold(false);
    FinOps.charts?.start(one("main"), data);
  }

  function start() {
    const controls = byId("controls"), wide = matchMedia("(min-width: 64rem)"), menu = one(".nav details");
    controls.append(themeButton());
    (wide.onchange = () => { menu.open = wide.matches; })();
    menu.parentElement.classList.add("ready");
    startPage();
    jump();
    addEventListener("hashchange", jump);
    addEventListener("beforeprint", () => fold(true));
    addEventListener("resize", () => FinOps.fitAll?.());
    if (!location.protocol.startsWith("http")) return;
    live = make("p", { className: "live", role: "status" }, "live");
    controls.prepend(live);
    // The viewer serves reports under this address: from there, one step leads back to it.
    if (location.pathname.startsWith("/reports/html/")) controls.prepend(make("a", { href: "/" }, "Viewer"));
    page.addEventListener("visibilitychange", refresh);
    timer = setTimeout(refresh, REFRESH_MS);
  }

  Object.assign(FinOps, { all, button, make, one });
  root.classList.add("js");
  try { theme = localStorage.getItem("theme"); } catch (_) { theme = "system"; }
  setTheme(NAMES.includes(theme) ? theme : "system");
  if (page.readyState === "loading") page.addEventListener("DOMContentLoaded", start);
  else start();
})(window.FinOps);
