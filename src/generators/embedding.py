"""Style and script as pages embed them: without notes, indentation and spaces that mean nothing.

What is squeezed keeps its strings, and its lines as far as scripts need them. An asset holds notes only on lines of
their own, no quote in a pattern, and no two signs in a row that a space keeps apart (`a - -b`).
"""
from __future__ import annotations

import re
from typing import Match

_NOTE = re.compile(r"^\s*(//.*|/\*.*\*/)?\s*\n|^[ \t]+", re.MULTILINE)
_STRING = r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"""
_SCRIPT = re.compile(_STRING + r"|[ ]*([=<>+\-*/%?:,;{}()\[\]&|!])[ ]*")
_STYLE = re.compile(_STRING + r"|\s*([{};,>])\s*|(:)\s+")


def squeeze(name: str, text: str) -> str:
    """Return the text of an asset in as few letters as keep its meaning; its name tells style from script."""
    bare = _NOTE.sub("", text)
    return (_STYLE.sub(_kept, bare).replace(";}", "}") if name.endswith(".css") else _SCRIPT.sub(_kept, bare)) + "\n"


def _kept(found: Match[str]) -> str:
    return found.group(1) or found.group(2) or (found.group(3) if found.re is _STYLE else "")
