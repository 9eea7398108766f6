#!/usr/bin/env python3
"""Score the detectors against the truth of simulated logs, with and without planted incidents.

  python3 benchmarks/detection.py [--seeds 20] [--mb 50] [--quick]

The rules were set on other seeds (101 to 108, 301 to 304) than those scored here (421 and up), but by the same
simulator and in knowledge of what it plants (nights, lengths of incidents): the figures say nothing about other
people's traffic.

* An incident is big when it added at least 20 % to its scope's calls or cost on at least one day, and dominant when
  it added at least a whole usual (median) day. The scope is the customer; of a retry storm, provider and region.
  It stands out when it is big and one of its days had more calls, or cost more, than 19 of 20 other days of the
  scope; the others lie within what is ordinary there.
* It is found when a finding names its scope on its days; rightly named when the finding's kind is its own.
* A finding is right when it finds an incident. One of volume or cost on an organisation of a scenario with
  bursts, a viral spike or a launch, while that lasts, is a genuine anomaly of the scenario: an event, counted apart.
  All others are false.
* An alert of `realtime` is right when an incident in its scope holds at least 20 % of its excess on that day.
"""
from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from measure import ROOT, machine

sys.path.insert(0, str(ROOT / "src"))

from analyzers.advanced.abuse_detection import AbuseDetectionAnalyzer  # noqa: E402
from analyzers.finops.realtime import RealtimeAnalyzer  # noqa: E402
from analyzers.watch import watch  # noqa: E402
from rollup.dataset import load_dataset  # noqa: E402
from rollup.rollup import Rollup  # noqa: E402

START, DAYS = "2026-01-01", 90
BIG, DOMINANT = 0.2, 1.0  # of the day's other calls or cost; of the usual day
PART = 0.2  # of an alert's excess that an incident must hold
OPEN_END = ("viral_spike", "feature_launch")  # events that leave traffic at another level for good
NAMED = {"rate_limit_hammering": "rate_limit_hammering", "region_switch": "leaked_key", "retry_storm": "retry_storm",
         "prompt_bloat": "prompt_bloat", "model_switch": "model_switch", "runaway_loop": "runaway_loop",
         "unusual_volume": "runaway_loop", "cost_spike": "runaway_loop"}
OF_VOLUME = ("unusual_volume", "cost_spike")  # what a burst, a spike or a launch explains; other kinds it does not
CLASSES = ("small", "outstanding", "big", "dominant")  # a dominant or outstanding incident is counted as big, too
OUTSTANDING = 0.95  # of the scope's other days


class Log:
    """A counted log and its truth, with what scoring looks up."""

    def __init__(self, path: Path) -> None:
        """Count a log and read its truth."""
        self.dataset = load_dataset(path, use_checkpoint=False)
        self.rollup: Rollup = self.dataset.rollup
        self.run = json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))["runs"][0]
        self.organization = {group.key[0]: group.key[1] for group in self.rollup.by("customer", "organization")}
        customers: Dict[Tuple[str, ...], Dict[str, Tuple[int, int]]] = {}
        for names in (("customer",), ("provider", "region")):
            for group in self.rollup.by(*names, "day"):
                counted = (group.measures.calls, group.measures.cost_nano)
                customers.setdefault(group.key[:-1], {})[group.key[-1]] = counted
        self.scope_days = customers
        self.customer_days = sum(len(days) for key, days in customers.items() if len(key) == 1)
        self._event_costs: Dict[Tuple[str, str], Dict[str, int]] = {}

    def size_class(self, incident: Mapping[str, Any]) -> str:
        """Return `small`, `big` or `dominant`."""
        days = self._days(incident)
        found = "small"
        for day, extra in incident["nano_by_day"].items():
            for place in (0, 1):
                usual = statistics.median(one[place] for one in days.values()) if days else 0
                rest = days.get(day, (0, 0))[place] - extra[place]
                if extra[place] > 0 and extra[place] >= BIG * rest:
                    if extra[place] >= DOMINANT * usual:
                        return "dominant"
                    found = "big"
        return found

    def stands_out(self, incident: Mapping[str, Any]) -> bool:
        """Tell whether one of an incident's days is above nearly all others of its scope, in calls or in cost."""
        days = self._days(incident)
        for place in (0, 1):
            others = sorted(counted[place] for day, counted in days.items() if day not in incident["nano_by_day"])
            if others and any(days.get(day, (0, 0))[place] > others[int(OUTSTANDING * len(others))]
                              for day, extra in incident["nano_by_day"].items() if extra[place] > 0):
                return True
        return False

    def _days(self, incident: Mapping[str, Any]) -> Dict[str, Tuple[int, int]]:
        scope = incident["scope"]
        key = (scope["customer_id"],) if "customer_id" in scope else (scope["provider"], scope["region"])
        return self.scope_days.get(key, {})

    def is_event(self, organization: Optional[str], first: str, last: str) -> bool:
        """Tell whether an organisation's scenario has an event in these days."""
        scenario = self.run["organizations"].get(organization)
        return any(event["scenario"] == scenario and event["start"][:10] <= last[:10]
                   and (event["kind"] in OPEN_END or first[:10] <= event["end"][:10]) for event in self.run["events"])

    def event_excess(self, scope: str, value: str, day: str) -> float:
        """Return by how many nano-dollars the scenarios with events exceed their usual day in a wide scope."""
        if (scope, value) not in self._event_costs:
            costs: Dict[str, int] = {}
            dimensions = ("day", "organization") + (() if scope == "whole" else (scope,))
            scenarios = {event["scenario"] for event in self.run["events"]}
            for group in self.rollup.by(*dimensions):
                if (len(group.key) < 3 or group.key[2] == value) and \
                        self.run["organizations"].get(group.key[1]) in scenarios:
                    costs[group.key[0]] = costs.get(group.key[0], 0) + group.measures.cost_nano
            self._event_costs[scope, value] = costs
        costs = self._event_costs[scope, value]
        return costs.get(day, 0) - statistics.median(costs.values()) if costs else 0.0


def matches(finding: Mapping[str, Any], incident: Mapping[str, Any]) -> bool:
    """Tell whether a finding names an incident's scope on its days."""
    scope, found = incident["scope"], finding["scope"]
    if "customer_id" in scope:
        same = found.get("customer") == scope["customer_id"]
    else:
        same = (found.get("provider"), found.get("region")) == (scope["provider"], scope["region"])
    return same and finding["first"][:10] <= incident["end"][:10] and finding["last"][:10] >= incident["start"][:10]


def alert_matches(log: Log, scope: str, value: str, day: str, excess: float, incident: Mapping[str, Any]) -> bool:
    """Tell whether an incident lies in an alert's scope and holds enough of its excess on the day."""
    where, nano = incident["scope"], incident["nano_by_day"].get(day, (0, 0))[1]
    customer = where.get("customer_id")
    inside = {"whole": True, "customer": customer == value, "provider": where.get("provider", value) == value,
              "organization": customer is not None and log.organization.get(customer) == value,
              "feature": where.get("feature_id", value) == value}[scope]
    return inside and nano >= PART * excess


def score_log(path: Path) -> Counter[Tuple[str, ...]]:
    """Run both analysers on a log and count how they did."""
    log, count = Log(path), Counter()  # type: Log, Counter[Tuple[str, ...]]
    incidents = log.run["incidents"]
    with_incidents = "with" if incidents else "without"
    count["customer_days", with_incidents] += log.customer_days
    abuse = AbuseDetectionAnalyzer(dataset=log.dataset).analyze()["findings"]
    alerts = RealtimeAnalyzer(dataset=log.dataset).analyze()["anomalies"]["robust_seasonal"]["alerts"]
    _score_findings(log, abuse, with_incidents, count)
    robust = [(row["scope"], row["value"] or "", row["time"][:10], float(row["excess"]) * 1e9) for row in alerts]
    plain = [(scope[0], scope[1], point.time[:10], point.value - point.expected)
             for _, scope, point in watch(log.rollup).plain]
    for rule, found in (("robust_seasonal", robust), ("mean_plus_3_sigma", plain)):
        _score_alerts(log, rule, found, with_incidents, count)
    for incident in incidents:
        names = [finding["kind"] for finding in abuse if matches(finding, incident)]
        caught = {rule for rule, found in (("robust_seasonal", robust), ("mean_plus_3_sigma", plain))
                  if any(alert_matches(log, *one, incident) for one in found)}
        size = log.size_class(incident)
        labels = {size, "big", "outstanding" if log.stands_out(incident) else size} if size != "small" else {size}
        for label in labels:
            key = (incident["kind"], label)
            count[("planted",) + key] += 1
            count[("found",) + key] += bool(names)
            count[("named",) + key] += any(NAMED[name] == incident["kind"] for name in names)
            count[("either",) + key] += bool(names) or "robust_seasonal" in caught
            for rule in caught:
                count[(rule,) + key] += 1
    return count


def _score_findings(log: Log, findings: Sequence[Mapping[str, Any]], which: str,
                    count: Counter[Tuple[str, ...]]) -> None:
    for finding in findings:
        right = any(matches(finding, incident) for incident in log.run["incidents"])
        event = finding["kind"] in OF_VOLUME and log.is_event(
            finding["scope"].get("organization"), finding["first"], finding["last"])
        verdict = "right" if right else "event" if event else "false"
        for label in (finding["kind"], "severity " + finding["severity"], "all"):
            count["finding", which, label, verdict] += 1


def _score_alerts(log: Log, rule: str, found: Iterable[Tuple[str, str, str, float]], which: str,
                  count: Counter[Tuple[str, ...]]) -> None:
    for scope, value, day, excess in set(found):
        right = any(alert_matches(log, scope, value, day, excess, incident) for incident in log.run["incidents"])
        if scope in ("customer", "organization"):
            event = log.is_event(log.organization.get(value, value), day, day)
        else:
            event = log.event_excess(scope, value, day) >= excess / 2
        count["alert", which, rule, scope, "right" if right else "event" if event else "false"] += 1


def run_seed(job: Tuple[int, float]) -> Counter[Tuple[str, ...]]:
    """Generate a seed's two logs and score them."""
    seed, megabytes = job
    count: Counter[Tuple[str, ...]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for name, extra in (("with", []), ("without", ["--no-incidents"])):
            path = Path(folder) / f"{name}.csv"
            subprocess.check_call(
                [sys.executable, str(ROOT / "src" / "run_all_simulators.py"), str(megabytes), "--seed", str(seed),
                 "--start", START, "--days", str(DAYS), "--workers", "1", "--quiet", "--output", str(path), *extra],
                stdout=subprocess.DEVNULL)
            count.update(score_log(path))
            path.unlink()
    return count


def _part(part: int, whole: int) -> str:
    return f"{part / whole:.2f} ({part}/{whole})" if whole else "–"


def print_recall(count: Counter[Tuple[str, ...]]) -> None:
    """Print recall by kind of incident and by size."""
    kinds = sorted({key[1] for key in count if key[0] == "planted"})
    print("Recall of abuse_detection by kind of incident (found / planted), and how many findings named the kind;\n"
          "last columns: big ones by the two rules of realtime (alerts in the budget), and by either analyser\n")
    print("| incident | dominant | big | outstanding | small | big, rightly named | big: robust_seasonal "
          "| big: mean_plus_3_sigma | big: either |\n" + "| --- " * 9 + "|")
    for kind in [*kinds, "all"]:
        def total(what: str, size: str, kind: str = kind) -> int:
            return sum(number for key, number in count.items()
                       if key[0] == what and key[2:] == (size,) and kind in (key[1], "all"))
        cells = [_part(total("found", size), total("planted", size)) for size in CLASSES[::-1]]
        cells += [_part(total(what, "big"), total("planted", "big"))
                  for what in ("named", "robust_seasonal", "mean_plus_3_sigma", "either")]
        print(f"| {kind} | " + " | ".join(cells) + " |")


def print_precision(count: Counter[Tuple[str, ...]]) -> None:
    """Print precision by kind and severity of finding, and false alarms on logs without incidents."""
    labels = sorted({key[2] for key in count if key[0] == "finding"},
                    key=lambda one: (one == "all", one[:8] == "severity", one))
    days = count["customer_days", "without"]
    print(f"\nabuse_detection: precision, and false alarms on logs without incidents ({days:,} active customer-days)\n")
    print("| finding | right | false | event | precision | false without incidents | events without incidents "
          "| false per 1,000 customer-days |\n" + "| --- " * 8 + "|")
    for label in labels:
        right, false, event = (count["finding", "with", label, one] for one in ("right", "false", "event"))
        clean, apart = (count["finding", "without", label, one] for one in ("false", "event"))
        print(f"| {label} | {right} | {false} | {event} | {_part(right, right + false)} | {clean} | {apart} | "
              f"{1000 * clean / max(1, days):.3f} |")


def print_alerts(count: Counter[Tuple[str, ...]]) -> None:
    """Print how the two rules of realtime did, by scope."""
    days = count["customer_days", "without"]
    print("\nrealtime: alerts by rule and scope (a day or hour of a scope)\n")
    print("| rule | scope | right | false | event | precision | false without incidents | events without incidents "
          "| false per 1,000 customer-days |\n" + "| --- " * 9 + "|")
    for rule in ("robust_seasonal", "mean_plus_3_sigma"):
        for scope in ("whole", "organization", "feature", "provider", "customer"):
            right, false, event = (count["alert", "with", rule, scope, one] for one in ("right", "false", "event"))
            clean, apart = (count["alert", "without", rule, scope, one] for one in ("false", "event"))
            print(f"| {rule} | {scope} | {right} | {false} | {event} | {_part(right, right + false)} | {clean} "
                  f"| {apart} | {1000 * clean / max(1, days):.3f} |")


def main() -> None:
    """Run all seeds, as many at once as there are processors, and print the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=20, help="number of seeds (default %(default)s)")
    options.add_argument("--mb", type=float, default=50.0, help="size of each log (default %(default)s)")
    options.add_argument("--quick", action="store_true", help="three seeds")
    options.add_argument("--first", type=int, default=421, help="the first seed (default %(default)s)")
    chosen = options.parse_args()
    seeds: List[int] = list(range(chosen.first, chosen.first + (3 if chosen.quick else chosen.seeds)))
    with multiprocessing.Pool(min(len(seeds), os.cpu_count() or 1)) as pool:
        counts = pool.map(run_seed, [(seed, chosen.mb) for seed in seeds], chunksize=1)
    count: Counter[Tuple[str, ...]] = sum(counts, Counter())
    print(f"{machine()}; seeds {seeds[0]} to {seeds[-1]}, {chosen.mb:g} MB and {DAYS} days each\n")
    print_recall(count)
    print_precision(count)
    print_alerts(count)


if __name__ == "__main__":
    main()
