#!/usr/bin/env python3
"""Write the parts of these documents that the code tells itself: `python3 specs/generate.py`; `--check` only compares.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; what is around it is written by hand.
"""
from __future__ import annotations

import argparse
import importlib
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import tokenize
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Sequence, Tuple

SPECS = Path(__file__).resolve().parent
ROOT = SPECS.parent
SRC, VIEWER = ROOT / "src", ROOT / "viewer"
REGION = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
NAMED = re.compile(r"([A-Z][A-Z0-9_]*(?:, [A-Z][A-Z0-9_]*)*)(?:: [^=]+)? = ")
NUMBERS = (int, float, Decimal, Fraction, range)
COMMANDS = ("src/run_all_simulators.py", "src/run_all_analyzers.py", "src/run_analyzer.py", "viewer/serve.py")


def main(arguments: List[str]) -> int:
    """Rewrite or compare every document; returns 1 when a comparison finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, and name the documents that are behind")
    check = parser.parse_args(arguments).check
    for name in [name for name in os.environ if name.startswith("FINOPS_")]:
        del os.environ[name]  # the documents tell the defaults
    behind = []
    for path in sorted(SPECS.glob("*.md")):
        before = path.read_text(encoding="utf-8")
        after = REGION.sub(lambda found: found.group(1) + PARTS[found.group(2)]() + found.group(3), before)
        if after != before:
            behind.append(path.name)
            if not check:
                path.write_text(after, encoding="utf-8")
    if behind:
        print(("behind the code: " if check else "rewritten: ") + ", ".join(behind)
              + (" (run python3 specs/generate.py)" if check else ""))
    return 1 if behind and check else 0


def table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows as a table in Markdown."""
    cells = [list(names), ["---"] * len(names), *([str(one).replace("|", "\\|") for one in row] for row in rows)]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def code(*texts: object) -> str:
    """Return texts as code, comma separated."""
    return ", ".join(f"`{text}`" for text in texts)


def fields() -> str:
    """Return the 19 fields: how each is read, whether it may be empty, and an example."""
    from calls import record
    from calls.values import BadValue
    kinds = {"_text": "text", "parse_call_time": "time", "parse_count": "whole number", "parse_nano": "decimal dollars",
             "_cost": "decimal dollars", "_latency": "whole number"}
    call = record.AICall("call-1", 1767265445123, "cus-7", "org-2", "assist", "chat", "openai", "gpt-4o-mini", 812, 164,
                         976, 220_200, 1480, record.SUCCESS, "production", "us-east-1", "pro", 99 * 10 ** 9, "power")
    rows = []
    for place, (field, read, text) in enumerate(zip(record.FIELDS, record._READERS, call.to_row()), 1):
        try:
            read("")
            empty = "unknown"
        except BadValue:
            empty = "no"
        rows.append((place, code(field), kinds[read.__name__], empty, code(text)))
    return table(("", "field", "kind", "empty", "example"), rows)


def counted() -> str:
    """Return the combinations of dimensions that are counted, and what is added up in each."""
    from rollup.cubes import COUNTED, LATENCY, PACE, Measures
    rows = [(one.name, one.time.replace("_", " ") or "all time", code(*one.caller), code(*one.circumstance))
            for one in (*COUNTED, LATENCY)]
    return (table(("cube", "time", "caller", "circumstance"), rows)
            + f"\nMeasures of a cell: {code(*Measures._fields)}; of `pace` only {code(*PACE.measures)}.\n")


def units(package: str, wanted: Callable[[Any], bool] = bool) -> List[Any]:
    """Return the classes that a package registers by their presence."""
    module = "simulator.story" if package == "scenarios" else package + ".base"
    found = getattr(importlib.import_module(module), "discover_" + package)()
    return [one for one in found.values() if wanted(one)]


def listed(package: str, wanted: Callable[[Any], bool] = bool) -> str:
    """Return a package's units as a table."""
    rows = [(code(one.id), one.title, one.description) for one in units(package, wanted)]
    return table(("id", "title", "what it is"), rows)


def catalogue() -> str:
    """Return the catalogue in numbers, and the market that the simulator draws from."""
    from catalog.loader import load_catalog
    known = load_catalog()
    text = table(("provider", "share of calls", "models"), (
        (f"{one.title} ({code(one.provider)})", f"{one.market_share_percent} %",
         code(*(model.model for model in one.models))) for one in known.providers))
    text += "\n" + table(("tier", "a month", "weight"), (
        (one.tier, f"${one.price_usd}", one.weight) for one in known.tiers))
    text += "\n" + table(("archetype", "calls on an active day", "active days", "weight"), (
        (one.archetype, "{} to {}".format(*one.calls_per_day), f"{one.active_days:.0%}", one.weight)
        for one in known.archetypes))
    return text + "\n" + table(("region", "area", "clock", "slower by", "weight"), (
        (code(one.region), one.area, f"UTC{one.utc_offset_hours:+d}", f"{one.latency_factor - 1:.0%}", one.weight)
        for one in known.regions))


def thresholds(*modules: str) -> str:
    """Return the named numbers of modules that have a comment beside them, with it."""
    rows: List[Tuple[object, ...]] = []
    for name in modules:
        module = importlib.import_module(name)
        path = Path(str(module.__file__))
        for names, comment in assigned(path.read_text(encoding="utf-8")):
            values = [getattr(module, one) for one in names]
            if comment and all(map(is_number, values)):
                rows.append((code(path.relative_to(SRC).with_suffix("").as_posix()), code(*names),
                             ", ".join(map(written, values)), comment))
    return table(("module", "name", "value", "meaning"), rows)


def assigned(text: str) -> Iterable[Tuple[List[str], str]]:
    """Yield the constants that a module names, line by line, with the comment at their end, else the one above."""
    comments = {token.start[0]: (token.string.lstrip("# "), token.start[1] == 0)
                for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT}
    for number, line in enumerate(text.splitlines(), 1):
        found = NAMED.match(line)
        if found:
            above = comments.get(number - 1, ("", False))
            yield found.group(1).split(", "), comments.get(number, above if above[1] else ("", False))[0]


def is_number(value: object) -> bool:
    """Tell whether a value is a number, or a list of nothing but numbers and their names."""
    if isinstance(value, tuple):
        return bool(value) and is_number(value[0]) and all(isinstance(one, str) or is_number(one) for one in value)
    return isinstance(value, NUMBERS) and not isinstance(value, bool)


def written(value: object) -> str:
    """Return a number as people write it."""
    if isinstance(value, tuple):
        return "(" + ", ".join(map(written, value)) + ")"
    if isinstance(value, range):
        return f"{value.start} to {value.stop - 1}"
    return f"{value:.4g}" if isinstance(value, float) and value < 10_000 else str(value)


def analysers(*categories: str) -> str:
    """Return the analysers of some categories, and the thresholds of their modules."""
    wanted = units("analyzers", lambda one: one.category in categories)
    modules = [*(one.__module__ for one in wanted), *helpers(categories)]
    texts = [" ".join((importlib.import_module(name).__doc__ or "").split()) for name in modules]
    told = "".join(f"- {code(name.replace('.', '/'))}: {text}\n" for name, text in zip(modules, texts))
    return f"{listed('analyzers', lambda one: one.category in categories)}\n{told}\n{thresholds(*modules)}"


def helpers(categories: Sequence[str]) -> List[str]:
    """Return the modules beside the analysers; those that only advanced ones use belong to these."""
    users: Dict[str, set] = {path.stem: set() for path in sorted((SRC / "analyzers").glob("*.py"))}
    for one in units("analyzers"):
        text = Path(str(importlib.import_module(one.__module__).__file__)).read_text(encoding="utf-8")
        for name in re.findall(r"from analyzers\.(\w+) import|from analyzers import (\w+)", text):
            users.get("".join(name), set()).add(one.category)
    wanted = "Advanced" in categories
    return [f"analyzers.{name}" for name, used in users.items()
            if name != "__init__" and (used == {"Advanced"}) == wanted]


def blocks() -> str:
    """Return the vocabulary of pages: each kind of block with its first sentence."""
    import blocks as vocabulary
    rows = [(code(name), "chart" if issubclass(one, vocabulary.Chart) else "", (one.__doc__ or "").partition("\n")[0])
            for name, one in vars(vocabulary).items() if isinstance(one, type) and issubclass(one, vocabulary.Block)
            and one not in (vocabulary.Block, vocabulary.Chart)]
    return table(("block", "", "what it is"), rows)


def endpoints() -> str:
    """Return every address of the API, by its description."""
    document = json.loads((VIEWER / "app" / "openapi.json").read_text(encoding="utf-8"))
    rows = [(code(f"{method.upper()} {path}"), one["summary"],
             " ".join(code(given["name"]) for given in one.get("parameters", []) if "name" in given),
             ", ".join(sorted(status for status in one["responses"] if status < "400")))
            for path, methods in document["paths"].items() for method, one in methods.items() if "summary" in one]
    return table(("address", "what", "parameters", "answers"), rows)


def settings() -> str:
    """Return every setting with its default, its environment variable and its comment."""
    import config
    comments = {}
    for line in (SRC / "config.py").read_text(encoding="utf-8").splitlines():
        found = re.match(r"    (\w+): \w+ = .*?  # (.*)", line)
        if found:
            comments[found.group(1)] = found.group(2)
    return table(("environment", "default", "what it is"), (
        (code(config.ENVIRONMENT_PREFIX + name.upper()), code(relative(value)) if value != "" else "", comments[name])
        for name, value in vars(config.Settings()).items()))


def relative(value: object) -> str:
    """Return a default, a path below the checkout without the checkout's own."""
    return str(value).replace(str(ROOT) + os.sep, "").replace(os.sep, "/")


def commands() -> str:
    """Return every command with its options, as its parser holds them."""
    others = sorted(path.relative_to(ROOT).as_posix() for folder in (SRC, VIEWER) for path in folder.glob("*.py")
                    if 'if __name__ == "__main__"' in path.read_text(encoding="utf-8"))
    return "\n".join(command(ROOT / name) for name in (*COMMANDS, *(one for one in others if one not in COMMANDS)))


def command(path: Path) -> str:
    """Return a command's title and options."""
    parser = captured(path)
    rows = []
    for one in parser._actions:
        value = one.metavar or ("" if one.nargs == 0 else "{" + ",".join(one.choices) + "}" if one.choices
                                else one.dest.upper())
        names = code(*(one.option_strings or [value]))
        helped = one.help or ""
        helped = "show the options and end" if one.dest == "help" else helped % {**vars(one), "prog": path.name}
        rows.append((names, value if one.option_strings else "", relative(helped)))
    return f"### {path.relative_to(ROOT).as_posix()}\n\n{(parser.description or '').strip()}\n\n" + table(
        ("option", "value", "what it does"), rows)


class Captured(Exception):
    """Carries the parser out of a command that was about to use it."""


def captured(path: Path) -> Any:
    """Return the parser that a command makes."""
    from console import Options

    def carry(self: Any, *_: object) -> None:
        raise Captured(self)

    kept, Options.parse_args = Options.parse_args, carry  # type: ignore[assignment, method-assign]
    sys.argv, argv = [str(path)], sys.argv
    try:
        spec: Any = importlib.util.spec_from_file_location("described_" + path.stem, str(path))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.main([])
    except Captured as parser:
        return parser.args[0]
    finally:
        Options.parse_args = kept  # type: ignore[method-assign]
        sys.argv = argv
    raise SystemExit(f"{path} asks for no options by console.Options")


def results() -> str:
    """Return what each analyser's JSON holds, as it comes from a small simulated log."""
    from analyzers.base import describe_log
    from rollup.dataset import load_dataset
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls.csv"
        subprocess.check_call([sys.executable, str(SRC / "run_all_simulators.py"), "2", "--seed", "1", "--start",
                               "2026-01-01", "--output", str(log), "--quiet"], stdout=subprocess.DEVNULL)
        dataset = load_dataset(log, use_checkpoint=False)
        text = f"Every result has `log` ({code(*describe_log(dataset))}).\n"
        for one in units("analyzers"):
            found = one(dataset=dataset).analyze()
            rows = [(code(name), shape(value)) for name, value in sorted(found.items()) if name != "log"]
            text += f"\n### {one.id}\n\n" + table(("key", "what stands there"), rows)
    return text


def shape(value: object) -> str:
    """Return what a value is: rows and mappings by their names."""
    if isinstance(value, dict):
        return code(*value) if value else "names and values"
    if isinstance(value, (list, tuple)):
        rows = [one for one in value if isinstance(one, dict)]
        return f"rows of {code(*dict.fromkeys(name for row in rows for name in row))}" if rows else "a list"
    if isinstance(value, str):
        return "a text"
    return "a number" if isinstance(value, NUMBERS) else "a value, or null"


def focus() -> str:
    """Return the columns of the FOCUS export."""
    from exporters.focus import COLUMNS
    return code(*COLUMNS) + ".\n"


def aws_sources() -> str:
    """Return the sources of AWS costs."""
    from aws.sources.base import discover_sources
    return table(("id", "title", "what it is"), (
        (code(one.id), one.title, one.description) for one in discover_sources().values()))


def aws_insights() -> str:
    """Return the thresholds of the rules about an AWS bill."""
    return thresholds(*(f"aws.insights.{path.stem}" for path in sorted((SRC / "aws" / "insights").glob("[a-z]*.py"))))


def aws_rights() -> str:
    """Return the policy with the rights that live queries need."""
    return "```json\n" + (SRC / "aws" / "iam_policy.json").read_text(encoding="utf-8").strip() + "\n```\n"


PARTS: Dict[str, Callable[[], str]] = {
    "fields": fields, "counted": counted, "scenarios": lambda: listed("scenarios"), "catalogue": catalogue,
    "incidents": lambda: thresholds("simulator.incidents", "simulator.story"),
    "analysers": lambda: analysers("FinOps", "Usage-Based Revenue"), "advanced": lambda: analysers("Advanced"),
    "blocks": blocks, "endpoints": endpoints, "settings": settings, "commands": commands, "results": results,
    "importers": lambda: listed("importers"), "exporters": lambda: listed("exporters"), "focus": focus,
    "aws-sources": aws_sources, "aws-insights": aws_insights, "aws-rights": aws_rights}

if __name__ == "__main__":
    sys.path[:0] = [str(VIEWER), str(SRC)]
    sys.exit(main(sys.argv[1:]))
