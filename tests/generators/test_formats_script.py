"""`assets/formats.js` writes values as `formats.py` does: both are asked for thousands of them."""
from __future__ import annotations

import html
import json
import random
import re
import shutil
import subprocess
from decimal import Decimal

import pytest

import blocks as b
from generators.embedding import squeeze
from generators.formats import NUMERIC, full, number, show
from generators.html_generator import ASSETS
from generators.templates import LONGEST_TEXT, fit

SCRIPT = ASSETS / "formats.js"
KINDS = sorted(NUMERIC)
TEXTS = ["", "plain", "a\u202eb\u200e", "tab\tline\nend\x00\x7f\x9f", "\ud800 alone", "\ufffe\uffff\ufdd0",
         "\U0001f600" * 700, "y" * LONGEST_TEXT, "z" * (LONGEST_TEXT + 1), "\u05d0\u2066\u2069"]
ASK = """
const asked = JSON.parse(ASKED), compare = asked.pairs.map(pair => Math.sign(FinOps.compare(pair[0], pair[1])));
const told = {shown: asked.values.map(one => FinOps.format(one[0], one[1])), fitted: asked.texts.map(FinOps.fit),
  full: asked.values.map(one => FinOps.full(one[0], one[1])), numeric: asked.kinds.filter(FinOps.isNumeric), compare};
"""


def random_values(count):
    """Yield decimal texts and numbers of all sizes, many of them at the edge where rounding turns."""
    chance = random.Random(11)
    for _ in range(count):
        digits = chance.choice([1, 2, 3, 4, 6, 9, 12, 15])
        whole = chance.randrange(10 ** digits)
        if chance.random() < 0.3:
            whole = whole // 10 * 10 + 5
        if chance.random() < 0.2:
            whole = 10 ** digits - chance.randrange(60)
        text = format(Decimal(whole).scaleb(-chance.randrange(digits + 8)) * chance.choice([1, 1, 1, -1]), "f")
        yield chance.choice([text, float(text), int(float(text)), text + "0" if "." in text else text])
    yield from (0, "0", "0.00", "-0", -0.0, 1e-07, 1.5e-09, 1e16, 1e21, 1.5e300, 2 ** 53, "1e3", "-1E-5", " 12 ",
                999.95, "999.949999", "0.005", "0.004999", "999950", "1e400", "1e-400", "1e299", "1_000", "\uff11",
                "0e999", "1.", ".5")


def run_script(asked, folder):
    """Return what the script answers, from Node or Chromium, whichever is there."""
    script = squeeze(SCRIPT.name, SCRIPT.read_text(encoding="utf-8"))
    script += ASK.replace("ASKED", json.dumps(json.dumps(asked)).replace("</", "<\\/"))
    node, chromium = shutil.which("node"), shutil.which("chromium") or shutil.which("google-chrome")
    if not node and not chromium:
        pytest.skip("there is neither Node nor Chromium to run the script")
    path = folder / ("asked.js" if node else "asked.html")
    if node:
        path.write_text(f"globalThis.window = globalThis;{script}console.log(JSON.stringify(told))", encoding="utf-8")
        return json.loads(_printed([node, path]))
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8><body><script>{script}"
                    "document.body.textContent = JSON.stringify(told)</script>", encoding="utf-8")
    page = _printed([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", path.as_uri()])
    return json.loads(html.unescape(re.search("<body>(.*)</body>", page, re.DOTALL).group(1)))


def _printed(command):
    return subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120,
                          check=True).stdout.decode("utf-8")


@pytest.fixture(scope="module")
def asked():
    values = [(value, kind) for value in random_values(1500) for kind in KINDS]
    values += [(value, kind) for value in (None, True, False, "2026-01-31T14:05:12.123Z", "2026-01-31", "at_risk")
               for kind in KINDS + [b.TIME, b.DAY, b.BADGE, b.YES_NO, b.TEXT]]
    numbers = [one for one in random_values(400) if number(one) is not None]
    numbers += ["12345678901234567.1", "12345678901234567.2", "0.1000000000000000055"]
    chance = random.Random(5)
    pairs = [(chance.choice(numbers), chance.choice(numbers)) for _ in range(2000)]
    return {"values": values, "texts": TEXTS, "kinds": KINDS + [b.TIME, b.BADGE, b.TEXT],
            "pairs": pairs + [(one, one) for one in numbers]}


@pytest.fixture(scope="module")
def told(asked, tmp_path_factory):
    return run_script(asked, tmp_path_factory.mktemp("script"))


def test_values_are_written_alike(asked, told):
    ours = [show(value, kind) for value, kind in asked["values"]]
    assert len(ours) > 10_000
    assert [each for each in zip(asked["values"], ours, told["shown"]) if each[1] != each[2]][:10] == []


def test_all_digits_are_written_alike(asked, told):
    ours = [full(value, kind) for value, kind in asked["values"]]
    assert [each for each in zip(asked["values"], ours, told["full"]) if each[1] != each[2]][:10] == []


def test_texts_are_fitted_alike(told):
    assert told["fitted"] == [fit(text) for text in TEXTS]


def test_the_same_kinds_are_numbers(told):
    assert told["numeric"] == KINDS


def test_numbers_are_compared_to_the_last_digit(asked, told):
    ours = [(number(one) > number(other)) - (number(one) < number(other)) for one, other in asked["pairs"]]
    assert [each for each in zip(asked["pairs"], ours, told["compare"]) if each[1] != each[2]][:10] == []
