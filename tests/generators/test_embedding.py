"""Style and script as pages embed them: smaller, and the same in meaning."""
from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from generators.embedding import squeeze
from generators.html_generator import ASSETS, FORM_STYLE, SCRIPTS, STYLES, asset


@pytest.mark.parametrize("text, small", [
    ("// a note\n  let a = 1 + b ;\n\n", "let a=1+b;\n"),
    ('x = "a  +  b" + \'c : d\' + `e {f} `;', 'x="a  +  b"+\'c : d\'+`e {f} `;'),
    ('x = "\\" + 1";', 'x="\\" + 1";'),
    ("return [a, b] ;\nconst c = d => ({ e }) ;", "return[a,b];const c=d=>({e});"),
    ("f(a,\n  b);\ng()\nh = a\n  .b\nif (c) {\n  d()\n}\nk()", "f(a,b);g()\nh=a.b\nif(c){d()}\nk()"),
    ("if (a) { b(); c(\";}\"); } else { d = `;}`; }", "if(a){b();c(\";}\")}else{d=`;}`}"),
    ("x = a ? b : !c ;", "x=a?b:!c;"), ("for (const a of b) c in d", "for(const a of b)c in d")])
def test_a_script_keeps_its_strings_words_and_lines(text, small):
    assert squeeze("a.js", text).rstrip("\n") == small.rstrip("\n")


@pytest.mark.parametrize("text, small", [
    ("/* a note */\na:not(:hover) > b, c {\n  margin: 0 auto ;\n}\n", "a:not(:hover)>b,c{margin:0 auto}"),
    ('a::before { content: "x ; y"; }', 'a::before{content:"x ; y"}'),
    ("a { width: calc(1px + 2px - 3px); }", "a{width:calc(1px + 2px - 3px)}"),
    ("@media (min-width: 4rem) and (print) { .a .b { top: 0; } }", "@media (min-width:4rem) and (print){.a .b{top:0}}"),
    (".a :is(b, c) { top: 0; }", ".a :is(b,c){top:0}")])
def test_a_style_keeps_its_selectors_strings_and_sums(text, small):
    assert squeeze("a.css", text).strip() == small


def test_style_and_script_are_small_enough_to_stand_in_each_page():
    sizes = {name: len(asset(name).encode("utf-8")) for name in SCRIPTS + STYLES}
    assert sum(sizes.values()) <= 40 * 1024
    assert sizes["report.css"] + sizes["report.js"] <= 17 * 1024  # what each page carries, however simple


@pytest.mark.parametrize("name", (*STYLES, FORM_STYLE))
def test_squeezing_takes_nothing_from_a_style_but_notes_and_spaces(name):
    text = re.sub(r"/\*.*?\*/", "", (ASSETS / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    bare, small = (re.sub(r"\s|;(?=\s*\})", "", one) for one in (text, asset(name)))
    assert bare == small
    for string in re.findall(r'"[^"\n]*"', text):
        assert string in asset(name)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_holds_nothing_that_squeezing_would_break(name):
    text = (ASSETS / name).read_text(encoding="utf-8")
    code = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    assert not re.search(r"[+-] [+-]|\S[ \t]+//", code)
    assert not re.search(r"\b(for|while|if) ?\([^()]*(\([^()]*\)[^()]*)*\);", code)  # no empty statement
    assert "innerHTML" not in code and "eval(" not in code
    node = shutil.which("node")
    if not node:
        pytest.skip("there is no Node to read the script")
    done = subprocess.run([node, "--check", "-"], input=asset(name).encode(), stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
