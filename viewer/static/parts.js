// What the viewer's page stands on: its elements, what is remembered, the theme, messages, and requests.
window.Viewer = {};
(function (Viewer) {
  "use strict";
  const PATIENCE_MS = 8000, TOAST_MS = 6000;
  const page = document, root = page.documentElement, byId = id => page.getElementById(id);
  const one = (selector, from) => (from || page).querySelector(selector);
  const all = (selector, from) => [...(from || page).querySelectorAll(selector)];
  const copyOf = id => page.importNode(byId(id).content, true).firstElementChild;

  // Writes a text only where it changed: nothing flickers, and a selection stays.
  function write(place, text) {
    if (place.textContent !== text) place.textContent = text;
  }

  // A button that must not be pressed now keeps the focus that it may have.
  const disable = (button, isOff) => { button.ariaDisabled = isOff ? "true" : null; };
  const isOff = button => button.ariaDisabled === "true";

  // What the browser remembers, where that is allowed.
  function recall(name) {
    try { return localStorage.getItem(name) || ""; } catch (_) { return ""; }
  }

  function remember(name, value) {
    try { localStorage.setItem(name, value); } catch (_) { return; }
  }

  // Theme: the same choice as in the reports.
  const THEMES = { system: "\u25d0 System", light: "\u2600\ufe0e Light", dark: "\u263e Dark" }, NAMES = Object.keys(THEMES);
  let theme = NAMES.includes(recall("theme")) ? recall("theme") : "system";

  function setTheme() {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
  }

  function startTheme() {
    const button = byId("theme");
    button.hidden = false;
    write(button, THEMES[theme]);
    button.onclick = () => {
      theme = NAMES[(NAMES.indexOf(theme) + 1) % 3];
      remember("theme", theme);
      setTheme();
      write(button, THEMES[theme]);
    };
    addEventListener("storage", event => {
      if (event.key !== "theme" || !NAMES.includes(event.newValue)) return;
      theme = event.newValue;
      setTheme();
      write(button, THEMES[theme]);
    });
  }

  // One message at a time, read out politely; it takes neither clicks nor the focus.
  let toastTimer = 0;

  function toast(text) {
    clearTimeout(toastTimer);
    byId("toast").textContent = text;
    toastTimer = setTimeout(() => { byId("toast").textContent = ""; }, TOAST_MS);
  }

  // Asks the server. An answer that is no success becomes an error with the server's reason (`answered`), and so does
  // no answer (`silent`).
  async function ask(address, options) {
    const { answer, body } = await hear(address, options);
    if (answer.ok || answer.status === 304) return { body, changed: answer.ok, etag: answer.headers.get("ETag") };
    const wait = Number(answer.headers.get("Retry-After")) * 1000 || 0;
    throw Object.assign(new Error(reasonIn(body, answer.status)), { answered: true, wait });
  }

  async function hear(address, options) {
    const stop = new AbortController(), timer = setTimeout(() => stop.abort(), PATIENCE_MS);
    try {
      const answer = await fetch(address, Object.assign({ signal: stop.signal, cache: "no-cache" }, options));
      return { answer, body: answer.status === 304 ? "" : await answer.text() };
    } catch (error) {
      throw Object.assign(new Error("The viewer does not answer."), { silent: true });
    } finally {
      clearTimeout(timer);
    }
  }

  function reasonIn(body, number) {
    try { return JSON.parse(body).error; } catch (_) { return "The viewer answered with " + number + "."; }
  }

  const get = async address => JSON.parse((await ask(address)).body);

  const sentence = text => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

  // Times: how long, and how long ago.
  function timeText(seconds) {
    const whole = Math.round(seconds), minutes = Math.floor(whole / 60);
    if (minutes >= 60) return Math.floor(minutes / 60) + " h " + minutes % 60 + " min";
    return minutes ? minutes + " min " + whole % 60 + " s" : whole + " s";
  }

  function age(time) {
    const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
    if (seconds < 60) return "just now";
    if (seconds < 3600) return Math.floor(seconds / 60) + " min ago";
    if (seconds < 86400) return Math.floor(seconds / 3600) + " h ago";
    return window.FinOps.format(time, "time");
  }

  setTheme();
  Object.assign(Viewer, { age, all, ask, byId, copyOf, disable, get, isOff, one, recall, remember, sentence, startTheme, timeText, toast, write });
})(window.Viewer);
