// What the viewer's page says of the status: sentences, and the state of a report.
(function (FinOps, Viewer) {
  "use strict";
  const OPEN = ["waiting", "running", "stopping"], { sentence } = Viewer;
  const count = value => FinOps.format(value, "count");
  const isOpen = job => OPEN.includes(job.state);
  const megabytes = size => size === null ? "unknown" : size.toFixed(1) + " MB";
  const titleOf = (status, id) => status.reports.find(report => report.id === id)?.title;

  // `job` simulates calls into the log, if there is one.
  function logSentence(csv, job) {
    if (csv.problem) return csv.path + " cannot be read";
    if (job) return (job.state === "stopping" ? "Stopping " : "Generating ") + csv.path;
    if (!csv.exists) return csv.path + " is not there";
    if (csv.growing) return csv.path + " is growing";
    return csv.path + (csv.target_mb !== null && !csv.complete ? " stopped short of its target" : " is complete");
  }

  function workSentence(status) {
    const { state, analyzer, progress_pct, rejected } = status.regeneration, { aws, reports } = status;
    const part = progress_pct === null ? "" : " (" + FinOps.format(progress_pct, "percent") + ")";
    if (state === "counting") return "Counting calls" + part + ".";
    if (state === "analysing") return "Writing " + (titleOf(status, analyzer) || "reports") + part + ".";
    if (aws.doing) return "AWS: " + sentence(aws.doing);
    const fresh = reports.filter(report => report.exists && !report.stale).length;
    return count(fresh) + " of " + count(reports.length) + " reports on calls are up to date" + awsPart(aws.reports)
      + (rejected ? "; " + count(rejected) + " rows were set aside as faulty" : "") + ".";
  }

  // The reports on AWS costs follow no log: they are made when somebody asks for them.
  function awsPart(reports) {
    const made = reports.filter(report => report.exists).length;
    return reports.length ? "; " + (made ? count(made) + " of " + count(reports.length) : "none of " + count(reports.length))
      + " on AWS costs " + (made === 1 ? "is" : "are") + " made" : "";
  }

  // How many reports there are, of which how many are made.
  function countSentence(reports) {
    const made = reports.filter(report => report.exists).length;
    return made === reports.length ? count(made) + " reports" : count(made) + " of " + count(reports.length) + " reports are made";
  }

  // What the figures of an index tell of that was `made` then, while newer ones are to come; else an empty text.
  function lastKnown({ csv, regeneration, reports }, log, made) {
    const isBehind = regeneration.state !== "idle" || csv.growing || reports.some(report => report.exists && report.stale);
    return made && isBehind ? "Last known: " + log + ", made " + Viewer.age(made) : "";
  }

  // The state of a report in words, and what it means.
  function stateOf(status, report) {
    if (status.aws.reports.includes(report)) return awsState(status.aws, report);
    const run = status.analyzer_status[report.id] || {}, moving = status.csv.growing || status.regeneration.state !== "idle";
    if (run.status === "running") return ["running", "work"];
    if (status.jobs.some(job => isOpen(job) && job.title === report.id)) return ["waiting", "work"];
    if (run.status === "timeout") return ["timed out", "bad"];
    if (run.status === "error") return ["error", "bad"];
    if (!report.exists) return ["not made yet", ""];
    if (report.stale) return moving ? ["catching up", "work"] : ["out of date", "warn"];
    return ["up to date", "good"];
  }

  function awsState(aws, report) {
    if (aws.state === "working") return ["running", "work"];
    if (report.reason) return ["error", "bad"];
    return report.exists ? ["made", "good"] : ["not made yet", ""];
  }

  Viewer.words = { countSentence, isOpen, lastKnown, logSentence, megabytes, stateOf, titleOf, workSentence };
})(window.FinOps, window.Viewer);
