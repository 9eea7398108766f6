"""The documents: what is generated is what the code says, and every link leads somewhere."""
from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any, Set

import pytest

from conftest import ROOT, run

SPECS = ROOT / "specs"
DOCUMENTS = sorted(path for folder in (ROOT, SPECS, ROOT / "benchmarks") for path in folder.glob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@pytest.fixture
def generator(tmp_path: Path) -> Any:
    """Return the script as a module that writes into a folder of its own."""
    spec: Any = importlib.util.spec_from_file_location("generate_specs", str(SPECS / "generate.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.SPECS = tmp_path
    return module


def anchors(path: Path) -> Set[str]:
    """Return the anchors of a document's headings, as they are made from them."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    titles = [re.sub(r"[`*]", "", one) for one in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in titles}


def test_what_is_generated_is_what_the_code_says() -> None:
    ran = run(SPECS / "generate.py", "--check")
    assert ran.code == 0, ran.out + ran.err


def test_a_document_that_is_behind_is_named_and_rewritten(generator, tmp_path, capsys) -> None:
    document = tmp_path / "02-data-model.md"
    document.write_text("Fields\n\n<!-- generated: fields -->\n| 1 | `caller` |\n<!-- end -->\n\nThe end\n")
    assert generator.main(["--check"]) == 1
    assert "02-data-model.md" in capsys.readouterr().out and "`caller`" in document.read_text()
    assert generator.main([]) == 0 and generator.main(["--check"]) == 0
    text = document.read_text()
    assert "`caller`" not in text and text.count("\n| ") >= 20
    assert text.startswith("Fields\n") and text.endswith("The end\n")


def test_every_part_stands_in_a_document(generator) -> None:
    told = re.findall(r"<!-- generated: ([\w-]+) -->", "".join(
        path.read_text(encoding="utf-8") for path in SPECS.glob("*.md")))
    assert sorted(told) == sorted(generator.PARTS)


def test_thresholds_are_told_with_their_comments(generator) -> None:
    found = list(generator.assigned(
        "# above\nFIRST = 1\nSECOND, THIRD = 2, 3  # beside\nfourth = 4\n    FIFTH = 5\n\nLAST: int = 6\n"))
    assert found == [(["FIRST"], "above"), (["SECOND", "THIRD"], "beside"), (["LAST"], "")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=[path.relative_to(ROOT).as_posix() for path in DOCUMENTS])
def test_every_link_leads_somewhere(document: Path) -> None:
    text = CODE.sub("", document.read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name) if name else document
        assert target.exists(), f"{document.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{document.name}: {link}"


def test_the_documents_are_numbered_without_a_hole_and_the_first_names_them_all() -> None:
    names = sorted(path.name for path in SPECS.glob("*.md"))
    assert [int(name[:2]) for name in names] == list(range(1, len(names) + 1))
    first = (SPECS / names[0]).read_text(encoding="utf-8")
    assert all(f"({name})" in first for name in names[1:])
