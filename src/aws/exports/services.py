"""Services by the codes of cost and usage reports and by the names of Cost Explorer, so that sources agree."""
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Tuple

_DATA = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
_NAMES = _DATA["names"]
_SPLIT = {code: (re.compile(one["pattern"]), one["matching"], one["others"]) for code, one in _DATA["split"].items()}
_CODES = {name: code for code, name in _NAMES.items()}
_CODES.update((name, code) for code, (_, *names) in _SPLIT.items() for name in names)
_CATEGORIES = [(word, category) for category, words in _DATA["categories"].items() for word in words]


def service_name(code: str, product: str, usage_type: str) -> str:
    """Return Cost Explorer's name of a product code; where the code is unknown, the product's name, or the code.

    Some codes are two services, told apart by the usage type; what names none belongs to the first.
    """
    if code in _SPLIT:
        pattern, matching, others = _SPLIT[code]
        return str(matching if not usage_type or pattern.search(usage_type) else others)
    return str(_NAMES.get(code) or product or code)


def service_code(name: str, usage_type: str) -> Tuple[str, str]:
    """Return the product code and product name that `service_name` makes a name of again."""
    code = _CODES.get(name, "")
    if code and service_name(code, name, usage_type) == name:
        return code, name
    code = re.sub(r"[^A-Za-z0-9]", "", name)
    return ("" if code in _NAMES or code in _SPLIT else code), name


def service_category(name: str) -> str:
    """Return the category of FOCUS that a service belongs to; Other where its name does not tell."""
    return next((category for word, category in _CATEGORIES if word in name), "Other")
