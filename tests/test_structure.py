"""The rules for src, viewer and showcase: sizes, docstrings, types, one way of importing, the bare interpreter."""
from __future__ import annotations

import ast
import os
import re
import statistics
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set, Tuple

import pytest

from conftest import ROOT

SRC, VIEWER, SHOWCASE = ROOT / "src", ROOT / "viewer", ROOT / "showcase"
MOST_MODULE_LINES, MOST_FUNCTION_LINES, MOST_MEDIAN_LINES = 400, 60, 10
FOR_ANYONE = ("config", "errors", "blocks")
# Each may import those to its left.
LAYERS = ("stopping", "console", "discovery", "side_by_side", "catalog", "calls", "simulator", "metering", "importers",
          "rollup", "exporters", "analyzers", "generators", "aws",
          "bootstrap", "chartjs", "app",  # the viewer's
          "support", "metadata", "instrumentation", "queries", "scenarios")  # the showcase's
EXAMPLES = LAYERS[LAYERS.index("metadata"):]  # folders whose every file is a command
FORBIDDEN = {"console": {"discovery"}, "discovery": {"console"}, "metering": {"simulator"},
             "rollup": {"simulator", "metering", "importers"},
             "analyzers": {"simulator", "metering", "importers", "exporters"},
             "exporters": {"simulator", "metering", "importers"}}  # though they stand to the left, or beside
ENTRY_SCRIPTS = ("run_*.py", "import_calls.py", "export_calls.py", "serve.py", "get_chartjs.py")
MAY_PRINT = ENTRY_SCRIPTS + ("console.py",)
MARKUP = re.compile(r"(?<!\(\?P)</?[a-z]|<!--", re.IGNORECASE)  # not the named groups of a pattern, nor a doctype
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Module(NamedTuple):
    """A module under src, viewer or showcase: its path below that, its name, text and tree."""

    path: Path
    name: str
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    def is_any_of(self, patterns: Tuple[str, ...]) -> bool:
        return len(self.path.parts) == 1 and any(self.path.match(pattern) for pattern in patterns)


def _module(path: Path, text: str) -> Module:
    parts = path.with_suffix("").parts
    return Module(path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts), text, ast.parse(text))


@lru_cache(maxsize=None)
def modules() -> List[Module]:
    """Return all modules, parsed when a test first looks at them: not by every process that collects tests."""
    return [_module(path.relative_to(folder), path.read_text(encoding="utf-8"))
            for folder in (SRC, VIEWER, SHOWCASE) for path in sorted(folder.rglob("*.py"))]


def _sample(text: str, path: str = "calls/sample.py") -> Module:
    return _module(Path(path), text)


def _functions(module: Module) -> List[ast.FunctionDef]:
    return [node for node in ast.walk(module.tree) if isinstance(node, FUNCTIONS)]


def _lines(function: ast.AST) -> int:
    """Return how many lines a function takes, from its first decorator to its end."""
    lines = [node.lineno for node in ast.walk(function) if hasattr(node, "lineno")]
    if sys.version_info < (3, 8):
        return max(lines) - min(lines) + 1
    return max(node.end_lineno for node in ast.walk(function) if hasattr(node, "end_lineno")) - min(lines) + 1


def _places(module: Module, nodes: List[ast.AST]) -> List[str]:
    return [f"{module.path}:{node.lineno}" for node in nodes]


def _long_functions(module: Module) -> List[str]:
    return _places(module, [one for one in _functions(module) if _lines(one) > MOST_FUNCTION_LINES])


def _without_docstring(module: Module) -> List[str]:
    """Return the module, its classes, and its public functions and methods that say nothing about themselves."""
    missing = [] if ast.get_docstring(module.tree) else [f"{module.path}"]
    for holder in [module.tree, *(node for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef))]:
        private_class = isinstance(holder, ast.ClassDef) and holder.name.startswith("_")
        if isinstance(holder, ast.ClassDef) and not ast.get_docstring(holder):
            missing.append(f"{module.path}:{holder.lineno}")
        missing += _places(module, [
            node for node in holder.body if isinstance(node, FUNCTIONS) and not ast.get_docstring(node)
            and not private_class and not node.name.startswith("_")])
    return missing


def _without_types(module: Module) -> List[str]:
    found = []
    for function in _functions(module):
        named = function.args.args + function.args.kwonlyargs + getattr(function.args, "posonlyargs", [])
        named += [one for one in (function.args.vararg, function.args.kwarg) if one]
        bare = [one for one in named if one.annotation is None and one.arg not in ("self", "cls")]
        if bare or function.returns is None:
            found.append(function)
    return _places(module, found)


def _prints(module: Module) -> List[str]:
    if module.is_any_of(MAY_PRINT) or module.package in EXAMPLES:
        return []
    return _places(module, [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)
                            and isinstance(node.func, ast.Name) and node.func.id == "print"])


def _docstrings(module: Module) -> Set[int]:
    """Return the ids of the nodes that are docstrings."""
    holders = [node for node in ast.walk(module.tree) if isinstance(node, (ast.Module, ast.ClassDef) + FUNCTIONS)]
    return {id(node.body[0].value) for node in holders if node.body and isinstance(node.body[0], ast.Expr)}


def _strings(module: Module) -> Iterator[Tuple[int, ast.AST, str]]:
    for node in ast.walk(module.tree):
        value = getattr(node, "s", None) if sys.version_info < (3, 8) else getattr(node, "value", None)
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if isinstance(value, str):
            yield id(node), node, value


def _markup(module: Module) -> List[str]:
    docstrings = _docstrings(module)
    return _places(module, [node for identity, node, value in _strings(module)
                            if identity not in docstrings and MARKUP.search(value)])


def _path_edits(module: Module) -> List[str]:
    """Return where a module touches the search path, or asks for it by name."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) in (("sys", "path"), ("site", "addsitedir")):
                found.append(node)
        elif isinstance(node, ast.ImportFrom) and node.module == "sys" and "path" in [one.name for one in node.names]:
            found.append(node)
    return _places(module, found)


def _imported(module: Module) -> Dict[str, int]:
    """Return the top-level names that a module imports from anywhere, functions included, with a line of each."""
    found = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found.update({alias.name.partition(".")[0]: node.lineno for alias in node.names})
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found[node.module.partition(".")[0]] = node.lineno
    return found


def _wrong_imports(module: Module, ours: Set[str]) -> List[str]:
    """Return where a module imports a package of ours that does not stand to its left."""
    if module.is_any_of(ENTRY_SCRIPTS):
        return []
    if module.package in FOR_ANYONE:
        allowed = set(FOR_ANYONE)
    else:
        allowed = set(FOR_ANYONE) | set(LAYERS[:LAYERS.index(module.package)]) - FORBIDDEN.get(module.package, set())
    return [f"{module.path}:{line} imports {name}" for name, line in _imported(module).items()
            if name in ours and name != module.package and name not in allowed]


def ours() -> Set[str]:
    """Return the names of our packages and of our modules outside of packages."""
    return {module.package for module in modules()}


def _everywhere(check, *arguments) -> List[str]:
    return [place for module in modules() for place in check(module, *arguments)]


def test_there_is_something_to_measure():
    names = {module.name for module in modules()}
    assert {"errors", "config", "calls.record", "catalog", "simulator.core", "app.server", "support.sender"} <= names


def test_no_module_is_longer_than_400_lines():
    assert [module.name for module in modules() if len(module.text.splitlines()) > MOST_MODULE_LINES] == []


def test_no_line_is_longer_than_120_columns():
    assert [f"{module.path}:{number}" for module in modules()
            for number, line in enumerate(module.text.splitlines(), 1) if len(line) > 120] == []


def test_no_function_is_longer_than_60_lines():
    assert _everywhere(_long_functions) == []


def test_half_of_all_functions_have_10_lines_or_less():
    assert statistics.median(_lines(one) for module in modules() for one in _functions(module)) <= MOST_MEDIAN_LINES


def test_every_module_class_and_public_function_has_a_docstring():
    assert _everywhere(_without_docstring) == []


def test_every_function_is_annotated():
    assert _everywhere(_without_types) == []


def test_every_module_with_code_postpones_its_annotations():
    late = [module.name for module in modules() if len(module.tree.body) > 1 and not any(
        isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in module.tree.body)]
    assert late == []


def test_only_commands_and_the_console_print():
    assert _everywhere(_prints) == []


def test_no_string_holds_markup():
    assert _everywhere(_markup) == []


def test_no_module_touches_the_search_path():
    assert _everywhere(_path_edits) == []


def test_every_package_has_its_place_in_the_order():
    scripts = {module.package for module in modules() if module.is_any_of(ENTRY_SCRIPTS)}
    assert ours() - scripts - set(FOR_ANYONE) - set(LAYERS) == set()


def test_imports_go_one_way():
    assert _everywhere(_wrong_imports, ours()) == []


def _needed(module: Module, names: Set[str]) -> Set[str]:
    """Return the modules of ours that must be whole before a module's own statements can run."""
    found: Set[str] = set()
    waiting: List[ast.AST] = [module.tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, FUNCTIONS + (ast.Lambda,)):
            continue  # runs later
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update([node.module] + [f"{node.module}.{alias.name}" for alias in node.names])
        waiting.extend(ast.iter_child_nodes(node))
    with_packages = {".".join(name.split(".")[:length]) for name in found | {module.name}
                     for length in range(1, name.count(".") + 2)}
    return (with_packages - {module.name}) & names


def _circles(found: List[Module]) -> List[str]:
    """Return the modules that can only be imported when another one has been: those on a circle of imports."""
    needed = {module.name: _needed(module, {one.name for one in found}) for module in found}
    while True:
        free = {name for name, others in needed.items() if not others & set(needed)}
        if not free:
            return sorted(needed)
        needed = {name: others for name, others in needed.items() if name not in free}


def test_no_import_goes_in_a_circle_so_that_every_module_can_be_the_first():
    assert _circles(modules()) == []


@pytest.mark.parametrize("first, second, circle", [
    ("import calls.b\n", "from calls import a\n", ["calls.a", "calls.b"]),
    ("from calls.b import X\n", "class C:\n    import calls.a\n", ["calls.a", "calls.b"]),
    ("from calls import b\n", "def f():\n    import calls.a\n", []), ("import calls.b\n", "import json\n", []),
    ("try:\n    import calls.b\nexcept ImportError:\n    pass\n", "import calls.a\n", ["calls.a", "calls.b"])])
def test_a_circle_of_imports_is_found(first, second, circle):
    package = _sample("", "calls/__init__.py")
    assert _circles([package, _sample(first, "calls/a.py"), _sample(second, "calls/b.py")]) == circle


IMPORT_EACH = """
import importlib, sys
before = set(sys.modules)
for names in (sys.argv[1:], sys.argv[:0:-1]):  # there and back, so that none leans on those before it
    for loaded in set(sys.modules) - before:
        if loaded.partition(".")[0] in OURS:
            del sys.modules[loaded]
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(name, repr(error))
print("tried", len(sys.argv) - 1, "no_site", sys.flags.no_site)
"""


def test_every_module_can_be_imported_in_an_interpreter_without_any_package():
    names = [module.name for module in modules()]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment["PYTHONPATH"] = os.pathsep.join([str(SRC), str(VIEWER), str(SHOWCASE)])
    done = subprocess.run(
        [sys.executable, "-S", "-s", "-B", "-W", "error", "-c", f"OURS = {sorted(ours())!r}\n" + IMPORT_EACH, *names],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    assert done.stdout.decode().splitlines() == [f"tried {len(names)} no_site 1"]
    assert done.returncode == 0


# The measures themselves, shown to find what they are for.

LONG = "def f():\n" + "    x = 1\n" * 60


@pytest.mark.parametrize("check, text, found", [
    (_long_functions, LONG, ["calls/sample.py:1"]),
    (_long_functions, LONG[:-len("    x = 1\n")], []),
    (_without_docstring, "x = 1\n", ["calls/sample.py"]),
    (_without_docstring, '"""A."""\nclass A: pass\nclass _B: pass\n', ["calls/sample.py:2", "calls/sample.py:3"]),
    (_without_docstring, '"""A."""\ndef f(): pass\ndef _g(): pass\n', ["calls/sample.py:2"]),
    (_without_docstring, '"""A."""\nclass A:\n    """B."""\n    def f(self): pass\n', ["calls/sample.py:4"]),
    (_without_types, "def f(a: int) -> int: ...\ndef g(a) -> int: ...\ndef h(a: int): ...\n",
     ["calls/sample.py:2", "calls/sample.py:3"]),
    (_without_types, "def f(*a, **b: int) -> int: ...\ndef g(*, a) -> int: ...\n",
     ["calls/sample.py:1", "calls/sample.py:2"]),
    (_without_types, "class A:\n    def f(self) -> None: ...\n", []),
    (_prints, "print(1)\n", ["calls/sample.py:1"]),
    (_prints, "log.print(1)\n", []),
    (_markup, 'x = "a <b>c"\ny = f"<td>{x}"\nz = b"</html>"\n',
     ["calls/sample.py:1", "calls/sample.py:2", "calls/sample.py:3"]),
    (_markup, '"""A <b>."""\ndef f():\n    """Of <log>."""\n    return "a < b"\n', []),
    (_markup, 'x = "(?P<name>a)(?<!b)<!DOCTYPE x>"\ny = "<!-- a -->"\n', ["calls/sample.py:2"]),
    (_path_edits, "import sys\nsys.path.insert(0, 'x')\nfrom sys import path\n",
     ["calls/sample.py:2", "calls/sample.py:3"]),
    (_path_edits, "import os, sys\nos.path.join('a')\nsys.argv\n", [])])
def test_a_measure_finds_what_it_is_for(check, text, found):
    assert sorted(check(_sample(text))) == [place.replace("/", os.sep) for place in found]


@pytest.mark.parametrize("path, text, wrong", [
    ("calls/a.py", "import catalog.prices\nfrom errors import X\nimport json\n", []),
    ("calls/a.py", "from simulator import core\n", ["simulator"]),
    ("calls/a.py", "def f():\n    import rollup\n", ["rollup"]),
    ("catalog/a.py", "from calls.record import X\n", ["calls"]),
    ("rollup/a.py", "import calls, importers, simulator\n", ["importers", "simulator"]),
    ("analyzers/a.py", "import rollup, importers, simulator\n", ["importers", "simulator"]),
    ("generators/a.py", "import analyzers, simulator, aws\n", ["aws"]),
    ("console.py", "import errors, discovery\n", ["discovery"]),
    ("errors.py", "import config, console\n", ["console"]),
    ("run_a.py", "import aws, calls\n", []),
    ("queries/a.py", "import support.logs, analyzers.base, app, scenarios\n", ["scenarios"]),
    ("app/a.py", "import support\n", ["support"]),
    ("calls/run_a.py", "import aws\n", ["aws"])])
def test_the_order_of_imports_is_told_from_a_modules_place(path, text, wrong):
    found = _wrong_imports(_sample(text, path), set(LAYERS) | set(FOR_ANYONE))
    assert [place.rpartition(" ")[2] for place in found] == wrong
