#!/usr/bin/env python3
"""Report on AWS cost: from a simulated company, an export of the bill, or live from Cost Explorer."""
from __future__ import annotations

import stopping  # noqa: F401 (before all others, so that a signal finds its answer while they are imported)

# isort: split
import argparse
import sys
import time
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from aws.asking import Choice
from aws.charges import COST_METRICS, METRICS, UNBLENDED
from aws.cost_service import AWSCostService
from aws.exports.focus_rows import FocusWriter
from aws.loading import loaded
from aws.queries import GRANULARITIES, MONTHLY, TAG
from aws.reports.base import Study, discover_reports
from aws.reports.summary import add_summary
from aws.reports.writing import Outcome, write_reports
from aws.sources.base import Source, SourceOptions, discover_sources
from aws.utils import export_to_csv, format_currency, get_date_range
from calls.replacing import replace_text
from calls.values import format_timestamp
from config import Settings, load_settings, parse_date, today
from console import Options, ProgressBar, run_command
from errors import UsageError, listed
from generators.files import as_json

SIMULATED, EXPORT, LIVE = "simulated", "export", "live"
EXAMPLES = """examples:
  run_aws_costs.py                                         four reports on a simulated company
  run_aws_costs.py --source export bill/                   on an export: legacy CUR, CUR 2.0 or FOCUS
  run_aws_costs.py --source live --dry-run                 how many paid requests it would take
  run_aws_costs.py --source live --profile billing         from Cost Explorer, $0.01 a request
  run_aws_costs.py --range last-30-days --granularity daily --group-by service --csv costs.csv
  run_aws_costs.py --service "Amazon Simple Storage Service" --account 123456789012 --budget 5000
"""
FILTERS = ("account", "service", "region")
MOST_NAMED = 12  # values of a dimension that an error names


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    settings = load_settings()
    given = make_options(settings).parse_args(arguments)
    if given.list:
        for name, one in discover_sources().items():
            print(f"{name:10} {one.title}: {one.description}")
        return 0
    began = time.perf_counter()
    bar = ProgressBar(sys.stderr, given.quiet)
    source = make_source(given, settings, bar)
    service = AWSCostService(source, make_choice(given, source))
    rows = service.get_costs(given.granularity, given.group_by)
    if given.dry_run:
        return _dry_run(service, given, settings, bar)
    bar.clear()
    if given.csv:
        export_to_csv(rows, given.csv)
    exported = _export_focus(service, given.export_focus, bar) if given.export_focus else ""
    outcomes = [] if given.no_reports else _reports(service, given, settings, bar)
    bar.clear()
    for note in service.notes:
        print(f"note: {note}", file=sys.stderr)
    seconds = time.perf_counter() - began
    if given.json:
        print(as_json(_describe(service, rows, outcomes, seconds)), end="")
    else:
        print(_sentences(service, rows, outcomes, given, seconds) + (f"\n{exported}" if exported else ""))
    return 1 if any(one.error for one in outcomes) else 0


def make_options(settings: Settings) -> argparse.ArgumentParser:
    """Return the command line."""
    options = Options(prog=Path(sys.argv[0]).name, description=__doc__, epilog=EXAMPLES,
                      formatter_class=argparse.RawDescriptionHelpFormatter)
    what = options.add_argument_group("what is looked at").add_argument
    what("--source", nargs="+", metavar=("SOURCE", "PATH"), default=[SIMULATED],
         help="simulated (default), export PATH (a file or folder), or live")
    what("--from", dest="first", metavar="DATE", help="first day, YYYY-MM-DD (default: six months of the source)")
    what("--to", dest="last", metavar="DATE", help="last day, it counts too (default: the source's last)")
    what("--range", metavar="NAME", help="this-month, last-month, this-year, last-N-days or last-N-months instead")
    what("--metric", choices=COST_METRICS, default=UNBLENDED, help="of cost (default %(default)s)")
    for name in FILTERS:
        what(f"--{name}", action="append", default=[], metavar=name.upper(), help=f"only this {name}; may be repeated")
    what("--tag", action="append", default=[], metavar="KEY=VALUE", help="only charges with this tag; may be repeated")
    made = options.add_argument_group("what is made of it").add_argument
    made("--output", metavar="DIR", default=settings.reports_path,
         help="the folder that gets html/, json/ and csv/ (default reports)")
    made("--granularity", choices=GRANULARITIES, default=MONTHLY, help="of --csv and --json (default %(default)s)")
    made("--group-by", type=_dimensions, default=("service",), metavar="NAME,NAME",
         help="dimensions of --csv and --json: service, account, region, usage_type, operation, instance_type, "
              "record_type, resource, provider, tag:KEY, category:KEY (default service)")
    made("--csv", metavar="PATH", help="write the grouped costs to a file")
    made("--json", action="store_true", help="print the grouped costs and the outcome as JSON")
    made("--export-focus", metavar="PATH", help="write the chosen charges as FOCUS 1.2")
    made("--budget", type=_dollars, metavar="USD", default=None, help="of a month (default: last month and a tenth)")
    made("--no-reports", action="store_true", help="write no reports")
    made("--ai", action="store_true", help="have a model in Bedrock summarise the findings: sends them to AWS")
    made("--model", default="", metavar="ID", help="the model or inference profile (default: a Claude that is there)")
    _add_source_options(options.add_argument_group("sources").add_argument, settings)
    add = options.add_argument
    add("--list", action="store_true", help="list the sources and end")
    add("--quiet", "-q", action="store_true", help="show no progress")
    add("--verbose", action="store_true", help="show where an error came from")
    return options


def _add_source_options(add: Any, settings: Settings) -> None:
    add("--seed", type=int, default=settings.seed, help="simulated: the same seed is the same company (%(default)s)")
    add("--profile", default="", help="live: of the AWS configuration")
    add("--role", action="append", default=[], metavar="ARN", help="live: a role to assume; one for each account")
    add("--endpoint-url", default="", metavar="URL", help="live: of a stand-in for AWS")
    add("--max-api-calls", type=int, default=50, metavar="N", help="live: paid requests at most (default %(default)s)")
    add("--dry-run", action="store_true", help="live: say how many paid requests it would take, and make none")
    add("--cache", default="", metavar="DIR", help="live: the folder where answers are kept")


def make_source(given: argparse.Namespace, settings: Settings, bar: ProgressBar) -> Source:
    """Return the source that is asked for; `UsageError` for one that there is not, or that lacks its path."""
    name, *rest = given.source
    found = discover_sources()
    if name not in found:
        raise UsageError(f"--source {name}: there is no such source; there are: {listed(found)}")
    if len(rest) != (name == EXPORT):
        raise UsageError("--source export PATH: give one file or folder" if name == EXPORT
                         else f"--source {name} takes no {' '.join(rest)!r}")
    options = SourceOptions(today(settings), rest[0] if rest else "", given.seed, given.profile, tuple(given.role),
                            tuple(given.region), given.endpoint_url, given.max_api_calls, given.dry_run, given.cache)
    return found[name](options, lambda what, share: bar.show(share, 1.0, what))


def make_choice(given: argparse.Namespace, source: Source) -> Choice:
    """Return the days, metric and filters that are asked for; a value that the source has not is a `UsageError`."""
    first = parse_date(given.first, "--from") if given.first else None
    last = parse_date(given.last, "--to") if given.last else None
    if given.range:
        if first or last:
            raise UsageError("--range goes without --from and --to: give the one or the others")
        first, last = get_date_range(given.range, source.options.today)
    where: Dict[str, Tuple[str, ...]] = {name: tuple(getattr(given, name)) for name in FILTERS if getattr(given, name)}
    for pair in given.tag:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise UsageError(f"--tag {pair}: write it as KEY=VALUE")
        where[TAG + key] = where.get(TAG + key, ()) + (value,)
    choice = Choice(first, last, given.metric, where)
    for name, values in where.items():
        if not given.dry_run:  # which knows no value
            _check_values(name, values, source, AWSCostService(source, choice).days)
    return choice


def _check_values(name: str, values: Sequence[str], source: Source, days: Tuple[date, date]) -> None:
    known = source.values(name, *days)
    for value in values:
        if value not in known:
            more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
            raise UsageError(f"--{name} {value}: nothing of these days is of it; there are: "
                             + ", ".join(known[:MOST_NAMED]) + more)


def _reports(service: AWSCostService, given: argparse.Namespace, settings: Settings,
             bar: ProgressBar) -> List[Outcome]:
    study = Study(service, settings, given.budget)
    if given.ai:
        from aws.bedrock import summarise  # only here: all else goes without Bedrock
        bar.show(0.0, 1.0, "asking a model")
        note = add_summary(study, given.model, summarise)
        service.notes += [note] if note else []
    return write_reports(study, given.output, format_timestamp(int(time.time() * 1000)),
                         lambda what, share: bar.show(share, 1.0, what))


def _dry_run(service: AWSCostService, given: argparse.Namespace, settings: Settings, bar: ProgressBar) -> int:
    """Ask all that the reports ask, of a source that only counts it, and write nothing."""
    study = Study(service, settings, given.budget)
    for report in discover_reports().values() if not given.no_reports else ():
        report(study).analyze()
    bar.clear()
    spent = service.source.spending()
    print(as_json({"asking": spent}) if given.json else
          f"dry run: at least {spent.get('would_be_paid_at_least', 0):,} paid requests of $0.01 each, "
          f"{spent.get('cached_answers', 0):,} answers kept from before; nothing was written")
    return 0


def _describe(service: AWSCostService, rows: Sequence[Dict[str, Any]], outcomes: Sequence[Outcome],
              seconds: float) -> Dict[str, Any]:
    first, last = service.days
    return {"source": service.source.id, "from": first.isoformat(), "to": last.isoformat(),
            "complete_until": service.complete_last.isoformat(), "metric": service.choice.metric,
            "currency": service.currency, "total": service.total().as_data(), "rows": list(rows),
            "reports": [one._asdict() for one in outcomes], "asking": service.source.spending(),
            "notes": service.notes, "seconds": round(seconds, 3)}


def _sentences(service: AWSCostService, rows: Sequence[Dict[str, Any]], outcomes: Sequence[Outcome],
               given: argparse.Namespace, seconds: float) -> str:
    first, last = service.days
    total = service.total()
    lines = [f"{format_currency(total.net, service.currency)} net ({format_currency(total.gross, service.currency)} "
             f"gross) from {first} to {last}: {service.source.title}, {seconds:.1f} s"]
    for one in outcomes:
        lines.append(f"  {one.title:24} " + (f"failed: {one.error}" if one.error else one.headline))
    if outcomes:
        lines += [f"  pages    {Path(given.output) / 'html'}", f"  results  {Path(given.output) / 'json'}",
                  f"  tables   {Path(given.output) / 'csv'}"]
    if given.csv:
        lines.append(f"  {len(rows):,} rows in {given.csv}")
    spent = service.source.spending()
    if spent:
        lines.append("  " + ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in spent.items()))
    return "\n".join(lines)


def _export_focus(service: AWSCostService, path: str, bar: ProgressBar) -> str:
    """Write the chosen charges as FOCUS 1.2, and return what to tell of it."""
    source = loaded(service.source, lambda what, share: bar.show(share, 1.0, what))
    writer = FocusWriter()
    metrics = [one for one in source.metrics() if one in METRICS]
    replace_text(Path(path), writer.lines(service.chosen(source.ledger.charges()), metrics))
    service.notes += [f"FOCUS: {count:,} {what}." for what, count in writer.notes.items()]
    return f"  {writer.charges:,} charges as FOCUS 1.2 in {path}"


def _dimensions(text: str) -> Tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _dollars(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of dollars above 0")
    return amount


if __name__ == "__main__":
    sys.exit(run_command(main))
