"""Style and script as pages embed them: without notes, indentation and spaces that mean nothing.

What is squeezed keeps its strings, and the ends of lines that may end a statement. An asset holds notes only on lines
of their own, no quote in a pattern, no string over several lines, no two signs that a space keeps apart (`a - -b`), and
no statement that is empty (`while (x);`).
"""
from __future__ import annotations

import re
from typing import Match

_NOTE = re.compile(r"^\s*(//.*|/\*.*\*/)?\s*\n|^[ \t]+", re.MULTILINE)
_STRING = r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"""
_SCRIPT = re.compile(_STRING + r"|[ ]*([=<>+\-*/%?:,;{}()\[\]&|!])[ ]*")
_OPEN_END = re.compile(r"(?<=[{(\[,;?:=&|])\n|\n(?=[})\].?:&|])")  # no statement ends there
_LAST = re.compile(_STRING + r"|;(?=\})")  # a statement that its block ends
_STYLE = re.compile(_STRING + r"|\s*([{};,>])\s*|(:)\s+")


def squeeze(name: str, text: str) -> str:
    """Return the text of an asset in as few letters as keep its meaning; its name tells style from script."""
    bare = _NOTE.sub("", text)
    if name.endswith(".css"):
        return _STYLE.sub(_kept, bare).replace(";}", "}") + "\n"
    return _LAST.sub(_string, _OPEN_END.sub("", _SCRIPT.sub(_kept, bare))) + "\n"


def _string(found: Match[str]) -> str:
    return found.group(1) or ""


def _kept(found: Match[str]) -> str:
    return found.group(1) or found.group(2) or (found.group(3) if found.re is _STYLE else "")
