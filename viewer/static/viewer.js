// The viewer's page: shows the status, which it polls, and asks for jobs. All figures come from the server.
(function (FinOps, Viewer) {
  "use strict";
  const BUSY_MS = 1000, IDLE_MS = 15000, BETWEEN_UPDATES_MS = 15000, SETTLED_MS = 5000, JOBS_SHOWN = 5;
  const HTML = "/reports/html/", SIMULATE = "simulate", page = document;
  const { age, all, ask, byId, copyOf, disable, get, isOff, one, recall, remember, sentence, timeText, toast, write } = Viewer;
  const { countSentence, isOpen, lastKnown, logSentence, megabytes, stateOf, titleOf, workSentence } = Viewer.words;
  const count = value => FinOps.format(value, "count");
  const wide = matchMedia("(min-width: 64rem)");
  const every = of => [...of.reports, ...of.aws.reports];
  let status = null, etag = "";

  // Asks for something to be done; returns why it is not done, or an empty text. Progress is in the status.
  async function act(address, given) {
    const body = given && JSON.stringify(given), headers = given ? { "Content-Type": "application/json" } : {};
    try {
      await ask(address, { method: "POST", headers, body });
      return "";
    } catch (error) {
      return sentence(error.message);
    } finally {
      poll();
    }
  }

  const actAloud = async (address, given) => { const reason = await act(address, given); if (reason) toast(reason); };

  // Polling: every second while something moves, rarely otherwise, never while nobody looks.
  let timer = 0, failures = 0, lostSince = "", isPolling = false, isWanted = false, movedAt = Date.now();

  async function poll() {
    clearTimeout(timer);
    if (page.hidden) return;
    isWanted = isPolling;
    if (isPolling) return;
    isPolling = true;
    let wait = 0;
    try {
      const answer = await ask("/api/status", { headers: etag ? { "If-None-Match": etag } : {} });
      if (answer.changed) take(JSON.parse(answer.body));
      etag = answer.etag || "";
      found();
      drawAges();
      await Promise.all([refreshGlance(), refreshLogs(), loadChoices()]);
    } catch (error) {
      wait = lose(error);
    }
    isPolling = false;
    timer = setTimeout(poll, isWanted ? 0 : wait || (status && isBusy() ? BUSY_MS : IDLE_MS));
  }

  // What moved a moment ago counts too: the last round begins when growth has stopped, and a new viewer knows little.
  function isBusy() {
    if (status.csv.growing || status.regeneration.state !== "idle" || status.jobs.some(isOpen)) movedAt = Date.now();
    return Date.now() - movedAt < SETTLED_MS;
  }

  function found() {
    if (lostSince) toast("The viewer answers again.");
    if (lostSince) movedAt = Date.now();
    [failures, lostSince] = [0, ""];
    write(byId("live"), "live");
    byId("live").classList.remove("lost");
    byId("lost").hidden = byId("refused").hidden = true;
  }

  // Says so, and returns how long to wait: 1, 2, 4, 8, then 15 seconds, or what the server asks for.
  function lose(error) {
    if (!error.answered && !error.silent) {
      console.error(error);
      return IDLE_MS;
    }
    lostSince = lostSince || new Date().toTimeString().slice(0, 8);
    write(byId("live"), (error.answered ? "refused since " : "no answer since ") + lostSince);
    byId("live").classList.add("lost");
    byId("lost").hidden = !error.silent;
    byId("refused").hidden = !error.answered;
    write(one("#refused .text"), sentence(error.message));
    etag = "";
    return error.wait || Math.min(IDLE_MS, 1000 * 2 ** failures++);
  }

  function take(fresh) {
    const before = status;
    status = fresh;
    drawProgress();
    drawPanel();
    drawReports();
    if (before) tellChanges(before);
    else noteTold();
  }

  // What is worth a message: a report that failed, a job that ended, else how many reports are new.
  const told = new Map();
  let updatesToldAt = 0;

  function tellChanges(before) {
    const keyOf = job => job.id + job.asked_at, ended = before.jobs.filter(job => !isOpen(job)).map(keyOf);
    const failed = every(status).find((report, place) => report.reason && report.reason !== every(before)[place]?.reason);
    const job = status.jobs.find(job => !isOpen(job) && !ended.includes(keyOf(job)));
    if (failed) toast(failed.title + ": " + sentence(failed.reason));
    else if (job) toast(jobTitle(job) + ": " + (job.message || job.state) + ".");
    if (status.regeneration.state !== "idle") return;
    const fresh = every(status).filter(report => report.exists && told.get(report.id) !== report.generated_at);
    if (!fresh.length || status.csv.growing && Date.now() - updatesToldAt < BETWEEN_UPDATES_MS) return;
    updatesToldAt = Date.now();
    noteTold();
    if (!failed && !job) toast(fresh.length === 1 ? fresh[0].title + " is new." : count(fresh.length) + " reports are new.");
  }

  const noteTold = () => every(status).forEach(report => told.set(report.id, report.generated_at));

  // Progress
  const jobOf = kind => status.jobs.find(job => job.kind === kind && isOpen(job));
  const jobTitle = job => titleOf(status, job.title) ? titleOf(status, job.title) + " again" : sentence(job.title).slice(0, -1);

  function drawProgress() {
    const { csv, regeneration, reports } = status, isEmpty = !csv.exists && !csv.problem;
    const isSimulating = !!jobOf(SIMULATE), isFirst = isEmpty && !isSimulating && !reports.some(report => report.exists);
    byId("first").hidden = !isFirst;
    byId("progress").hidden = isFirst;
    write(byId("progress-title"), logSentence(csv, jobOf(SIMULATE)));
    one(".figures").hidden = !csv.exists;
    const bar = byId("bar");
    bar.hidden = csv.progress_pct === null && !csv.growing && !isSimulating;
    if (csv.progress_pct === null) bar.removeAttribute("value");
    else bar.value = csv.progress_pct;
    write(byId("figure-size"), csv.target_mb === null || csv.size_mb === null ? megabytes(csv.size_mb)
      : csv.size_mb.toFixed(1) + " of " + megabytes(csv.target_mb));
    // What nobody set a target for is neither done nor late.
    for (const id of ["figure-done", "figure-left"]) byId(id).parentElement.hidden = csv.target_mb === null && !isSimulating;
    write(byId("figure-done"), FinOps.format(csv.progress_pct, "percent"));
    write(byId("figure-rows"), count(csv.line_count));
    write(byId("figure-rate"), count(csv.rows_per_second));
    write(byId("figure-left"), csv.complete ? "none" : csv.eta_seconds === null ? "unknown" : timeText(csv.eta_seconds));
    write(byId("working"), workSentence(status));
    write(byId("problem"), [csv.problem, regeneration.error].filter(Boolean).map(sentence).join(" "));
    const percent = csv.progress_pct === null || csv.complete ? "" : FinOps.format(csv.progress_pct, "percent") + " \u00b7 ";
    page.title = percent + "Revenium FinOps Showcase";
  }

  // The panel: log, generation, jobs
  const FIELDS = ["size", "days", "customers", "seed"];
  let looks = 0, logsKey = "", logsShown = "", logWatched = "", choices = null;

  function drawPanel() {
    const job = jobOf(SIMULATE), jobs = status.jobs.slice(0, JOBS_SHOWN);
    all(".log-name").forEach(place => write(place, status.csv.path));
    all(".stop").forEach(button => { button.hidden = !job; disable(button, !!job && job.state === "stopping"); });
    disable(one("#generate .primary"), !!job);
    disable(byId("begin"), !!job);
    byId("run-all").hidden = !status.csv.exists;
    byId("ways").hidden = !status.csv.exists || !status.csv.size_mb;
    byId("no-jobs").hidden = jobs.length > 0;
    byId("jobs").replaceChildren(...jobs.map(drawnJob));
  }

  function drawnJob(job) {
    const drawn = copyOf("job"), chip = one(".chip", drawn), meanings = { complete: "good", error: "bad", timeout: "bad", stopped: "warn" };
    write(one(".job-title", drawn), jobTitle(job));
    write(chip, job.state);
    chip.classList.add(meanings[job.state] || "work");
    write(one(".note", drawn), job.message ? sentence(job.message) : "");
    return drawn;
  }

  // The logs that can be chosen are asked for again when a job begins or ends, and when somebody is about to choose.
  async function refreshLogs() {
    const key = [looks, status.csv.path, status.csv.exists, ...status.jobs.map(job => job.id + isOpen(job))].join();
    if (key === logsKey) return;
    const { files } = await get("/api/csv-files"), select = byId("logs"), isThere = files.some(file => file.current);
    const label = file => file.name + " (" + megabytes(file.size_mb) + ")";  // what is cut off stands in its title
    const options = files.map(file => new Option(label(file), file.name, file.current, file.current));
    if (!isThere) options.unshift(new Option(status.csv.path + " (not there)", status.csv.path, true, true));
    const fresh = options.map(option => option.text + option.selected).join(), choice = select.value;
    if (fresh !== logsShown) select.replaceChildren(...options);
    // What was chosen but is not shown yet stays chosen.
    if (choice !== logWatched && files.some(file => file.name === choice)) select.value = choice;
    select.title = select.selectedOptions[0]?.text || "";
    [logsKey, logsShown, logWatched] = [key, fresh, status.csv.path];
  }

  // What can be generated is asked for once.
  async function loadChoices() {
    if (choices) return;
    const { scenarios, defaults, limits } = await get("/api/scenarios");
    for (const name of FIELDS) {
      Object.assign(byId(name), { value: defaults[name], min: limits[name].least, max: limits[name].most });
    }
    byId("scenarios").append(...scenarios.map(scenario => {
      const label = copyOf("scenario");
      one("input", label).value = scenario.id;
      write(one("span", label), scenario.title);
      label.title = scenario.description;
      return label;
    }));
    choices = scenarios;
    drawChosen();
  }

  const chosen = () => all("#scenarios input:checked").map(box => box.value);

  function drawChosen() {
    const number = chosen().length;
    write(byId("chosen"), number === choices?.length ? "all " + number : count(number) + " of " + count(choices?.length));
    write(one("#begin"), byId("size").value ? "Generate " + byId("size").value + " MB" : "Generate");
  }

  async function generate() {
    if (isOff(one("#generate .primary")) || !choices) return;
    const ids = chosen(), wish = Object.fromEntries(FIELDS.map(name => [name, Number(byId(name).value)]));
    if (ids.length < choices.length) wish.scenarios = ids;
    if (!byId("ways").hidden) wish.append = one("[name=way]:checked").value === "append";
    const reason = ids.length ? await act("/api/run-simulators", wish) : "Choose at least one scenario.";
    write(byId("refusal"), reason);
    if (!reason) showWork();
    else if (!byId("panel").open) toast(reason);
  }

  // On a narrow screen the panel makes room for the bar; the focus goes on where it would be lost.
  function showWork() {
    const isInPanel = byId("panel").contains(page.activeElement);
    if (wide.matches && isInPanel) return;
    byId("panel").open = wide.matches;
    (isInPanel ? one("summary") : byId("main")).focus({ preventScroll: true });
    byId("progress").scrollIntoView({ block: "nearest" });
  }

  // Reports
  const cards = new Map();
  let headlines = new Map(), shownGroups = "";

  function drawReports() {
    const key = every(status).map(report => report.category + report.id).join();
    if (key !== shownGroups) buildGroups();
    shownGroups = key;
    every(status).forEach(drawCard);
    filter();
    drawLast();
  }

  function buildGroups() {
    const groups = new Map();
    cards.clear();
    for (const report of every(status)) {
      if (!groups.has(report.category)) groups.set(report.category, copyOf("group"));
      const group = groups.get(report.category), card = copyOf("card");
      one("ul", group).append(card);
      cards.set(report.id, card);
      one(".run", card).onclick = event => isOff(event.target) || actAloud(runAddress(report));
      one(".open", card).onclick = () => { remember("viewer-last", report.id); drawLast(); };
      one(".open", card).onauxclick = one(".open", card).onclick;
    }
    byId("groups").replaceChildren(...groups.values());
    [...groups].forEach(([name, group], place) => {
      const title = one("h2", group);
      write(title, name);
      title.id = "group-" + place;
      one(".explore", group).hidden = !status.aws.reports.some(report => report.category === name);
      group.setAttribute("aria-labelledby", title.id);
    });
  }

  const isAws = report => status.aws.reports.some(other => other.id === report.id);
  const runAddress = report => isAws(report) ? "/api/aws/reports" : "/api/run-analyzer?id=" + encodeURIComponent(report.id);

  function drawCard(report) {
    const card = cards.get(report.id), [state, meaning] = stateOf(status, report), open = one(".open", card), run = one(".run", card);
    write(one("h3", card), report.title);
    write(one(".message", card), report.exists && headlines.get(report.name) || report.description);
    write(one(".reason", card), report.reason ? sentence(report.reason) : "");
    write(one(".state", card), state);
    one(".state", card).className = "chip state " + meaning;
    card.classList.toggle("absent", !report.exists);
    open.hidden = !report.exists;
    open.href = HTML + report.name;
    open.ariaLabel = "Open " + report.title;
    write(run, report.exists ? "Run again" : "Run");
    run.ariaLabel = run.textContent + ": " + report.title;
    run.hidden = !status.csv.exists && !isAws(report);
    run.title = isAws(report) && status.aws.asks_aws ? "Asks AWS: each request costs $0.01, and is counted" : "";
    disable(run, ["running", "waiting"].includes(state));
  }

  function drawAges() {
    for (const report of every(status)) {
      write(one(".made", cards.get(report.id)), report.exists
        ? FinOps.format(report.size_kb * 1000, "bytes") + ", made " + age(report.generated_at) : "");
    }
    drawLastKnown();
  }

  const drawLastKnown = () => write(byId("last-known"), lastKnown(status, glance.log, glance.made));

  function filter() {
    const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const report of every(status)) {
      const card = cards.get(report.id), text = [card.textContent, report.category, report.description].join(" ").toLowerCase();
      card.hidden = !words.every(word => text.includes(word));
      left += !card.hidden;
    }
    all("#groups > section").forEach(group => { group.hidden = !one("li:not([hidden])", group); });
    write(byId("found"), words.length ? count(left) + " of " + count(cards.size) + " reports" : countSentence(every(status)));
    byId("nothing-found").hidden = left > 0 || !cards.size;
    write(byId("nothing-found"), "No report holds \u201c" + byId("filter").value + "\u201d.");
  }

  function drawLast() {
    const report = every(status).find(report => report.id === recall("viewer-last") && report.exists), link = byId("last");
    link.hidden = !report;
    if (!report) return;
    link.href = HTML + report.name;
    write(link, "Last opened: " + report.title);
  }

  // Figures and messages are those of the reports' own index, taken over from its page: nothing is worked out twice.
  let glanceKey = "", glance = { log: "", made: "" };

  async function refreshGlance() {
    const { rounds, state, has_index: isThere } = status.regeneration;
    const key = [rounds, status.csv.path, isThere, state === "idle" && every(status).map(report => report.generated_at)].join();
    if (key === glanceKey) return;
    if (isThere) await takeGlance();
    else byId("glance").hidden = byId("meta").hidden = true;
    glanceKey = key;
  }

  async function takeGlance() {
    const text = await ask(HTML + "index.html").then(answer => answer.body, error => { if (error.silent) throw error; });
    if (!text) return;
    // Only the main part is read: the page's own style would be complained of under this page's policy.
    const main = text.slice(text.indexOf("<main"), text.indexOf("</main>"));
    const index = new DOMParser().parseFromString(main, "text/html"), figures = one(".summary .cards", index);
    headlines = new Map(all(".report-card", index).filter(card => one("h3 a", card))
      .map(card => [one("h3 a", card).getAttribute("href"), one("p", card).textContent]));
    write(byId("lead"), one(".lead", index).textContent);
    glance = { log: one(".meta > :first-child", index)?.textContent, made: one(".foot time", index)?.getAttribute("datetime") };
    byId("meta").replaceChildren(...one(".meta", index).childNodes);
    byId("glance").hidden = byId("meta").hidden = !figures;
    if (figures) takeFigures(figures);
    drawLastKnown();
    drawReports();
  }

  function takeFigures(figures) {
    const held = byId("cards").contains(page.activeElement) && page.activeElement.textContent;
    all("a", figures).forEach(link => { link.href = HTML + link.getAttribute("href"); });
    byId("cards").replaceChildren(...figures.children);
    all("#cards a").find(link => link.textContent === held)?.focus({ preventScroll: true });
    setTimeout(() => page.documentElement.classList.add("settled"), BUSY_MS);
  }

  function start() {
    (wide.onchange = () => { byId("panel").open = wide.matches; })();
    Viewer.startTheme();
    byId("filter").value = recall("viewer-filter");
    byId("filter").oninput = () => { remember("viewer-filter", byId("filter").value); if (status) filter(); };
    byId("load").onsubmit = event => { event.preventDefault(); actAloud("/api/load-csv?name=" + encodeURIComponent(byId("logs").value)); };
    for (const event of ["focus", "pointerenter"]) byId("logs").addEventListener(event, () => { looks++; poll(); });
    byId("generate").onsubmit = event => { event.preventDefault(); generate(); };
    byId("begin").onclick = () => {
      if (!byId("generate").checkValidity()) byId("panel").open = true;
      byId("generate").requestSubmit();
    };
    byId("run-all").onclick = () => actAloud("/api/run-all-analyzers");
    all(".stop").forEach(button => { button.onclick = () => isOff(button) || actAloud("/api/stop-simulators"); });
    byId("generate").addEventListener("input", drawChosen);
    for (const [id, isChosen] of [["every", true], ["none", false]]) {
      byId(id).onclick = () => { all("#scenarios input").forEach(box => { box.checked = isChosen; }); drawChosen(); };
    }
    page.addEventListener("visibilitychange", poll);
    addEventListener("online", poll);
    poll();
  }

  if (page.readyState === "loading") page.addEventListener("DOMContentLoaded", start);
  else start();
})(window.FinOps, window.Viewer);
