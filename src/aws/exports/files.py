"""Which files of a folder make up a bill: of each billing period only the latest delivery, and nothing twice.

AWS delivers `NAME/data/BILLING_PERIOD=2024-09/…csv.gz` with `NAME/metadata/BILLING_PERIOD=2024-09/…Manifest.json`, and
legacy reports as `NAME/20240901-20241001/…`. Deliveries that are kept get a folder each below the period; the
manifest directly in the period's folder is that of the latest.
"""
from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from pathlib import Path
from typing import Any, DefaultDict, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from aws.exports.copies import without_copies
from errors import AwsError, explain_os_error

_PERIOD = re.compile(r"BILLING_PERIOD=(\d{4}-\d\d)\Z|(\d{4})(\d\d)\d\d-\d{8}\Z", re.IGNORECASE)
_DATA = re.compile(r"\.(?:csv|gz|parquet|zip)\Z", re.IGNORECASE)
_MANIFEST = re.compile(r"manifest\.json\Z", re.IGNORECASE)
_DATED = re.compile(r"\d{4}-?\d\d-?\d\d")
_LISTS = ("dataFiles", "reportKeys")  # of Data Exports, and of legacy reports
_BRANCHES = ("data", "metadata")  # below an export's name


class Place(NamedTuple):
    """Where a file belongs: its export, the billing period as YYYY-MM, and the folders of its delivery below that.

    A file outside of such folders has no period, and its folder as the export.
    """

    export: str
    period: str
    delivery: Tuple[str, ...]


class Selection(NamedTuple):
    """The files that count, in order, and sentences on what was left out.

    `is_loose` tells that nobody but their names says that they belong together.
    """

    paths: Tuple[str, ...]
    notes: Tuple[str, ...]
    is_loose: bool = False


def select_files(path: str) -> Selection:
    """Return the files of an export, given as a file or a folder; raises `AwsError` where that is not clear."""
    if not os.path.isdir(path):
        return Selection((path,), ())
    data, manifests = _found(path)
    if not data:
        raise AwsError(f"{path} holds no cost export: give a folder with .csv or .csv.gz files in it")
    _check_exports(path, data)
    paths: List[str] = []
    notes: List[str] = []
    for (export, period), deliveries in sorted(data.items()):
        chosen = _listed(deliveries, manifests.get((export, period), {}), period)
        if chosen is None:
            chosen = deliveries[_latest(deliveries, export, period)]
        left = sum(map(len, deliveries.values())) - len(chosen)
        chosen, twins = _without_twins(chosen)
        paths += chosen
        if left and period:
            notes.append(f"{left} file{'s' if left > 1 else ''} of {period} left out: of earlier deliveries.")
        elif left:
            notes.append(f"{left} file{'s' if left > 1 else ''} in {export} left out: not in its manifest.")
        notes += [f"{os.path.basename(one)} left out: the same is there without compression." for one in twins]
    is_loose = len(paths) > 1 and any(not period for _, period in data)
    if is_loose:
        paths, copies = without_copies(paths)
        notes += copies
    return Selection(tuple(paths), tuple(notes), is_loose)


Deliveries = Dict[Tuple[str, ...], List[str]]  # the files of each
Groups = Dict[Tuple[str, str], Deliveries]  # by export and period


def _found(root: str) -> Tuple[Groups, Groups]:
    """Return the data files and the manifests below a folder."""
    data: DefaultDict[Tuple[str, str], Deliveries] = defaultdict(dict)
    manifests: DefaultDict[Tuple[str, str], Deliveries] = defaultdict(dict)

    def fail(error: OSError) -> None:
        raise AwsError(explain_os_error("read", error.filename or root, error)) from error

    for folder, folders, names in os.walk(os.path.abspath(root), onerror=fail):
        folders.sort()
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        for name in sorted(names):
            kind = manifests if _MANIFEST.search(name) else data if _DATA.search(name) else None
            if kind is None or name.startswith((".", "_")):
                continue
            place = _place(Path(folder).parts)
            kind[place.export, place.period].setdefault(place.delivery, []).append(os.path.join(folder, name))
    return data, manifests


def _place(folders: Sequence[str]) -> Place:
    for number in reversed(range(len(folders))):
        found = _PERIOD.match(folders[number])
        if found:
            above = folders[:number - 1] if folders[number - 1] in _BRANCHES else folders[:number]
            period = found.group(1) or f"{found.group(2)}-{found.group(3)}"
            return Place(os.path.join(*above) if above else "", period, tuple(folders[number + 1:]))
    return Place(os.path.join(*folders), "", ())


def _check_exports(root: str, groups: Groups) -> None:
    """Refuse two exports of one period: most likely they hold the same bill, and it would count twice."""
    exports: Dict[str, str] = {}
    for export, period in groups:
        other = exports.setdefault(period, export)
        if period and other != export:
            raise AwsError(f"{root} holds {period} in two exports, {other} and {export}: the bill would count twice; "
                           "give one of them")


def _listed(deliveries: Deliveries, manifests: Deliveries, period: str) -> Optional[List[str]]:
    """Return the files that the latest manifest lists, None without one; raises `AwsError` where one is not there."""
    every = [path for paths in manifests.values() for path in paths]
    if not every or (not period and len(every) > 1):  # those of several periods, put into one folder
        return None
    latest = max(manifests, key=lambda delivery: (not delivery, bool(_DATED.match(delivery[0])) if delivery else True,
                                                  delivery, max(map(os.path.getmtime, manifests[delivery]))))
    keys = _keys(manifests[latest][-1])
    if keys is None:
        return None
    found: List[str] = []
    for key in keys:
        *folders, name = key.split("/")
        place = _place(folders or ["."])
        wanted = [deliveries.get(place.delivery, [])] if place.period else list(deliveries.values())
        here = [path for paths in wanted for path in paths if os.path.basename(path) == name]
        if len(here) != 1:
            raise AwsError(f"{manifests[latest][-1]} lists {name}, which is not there{' once' if here else ''}: fetch "
                           "the whole delivery again, or give the files that are there one by one")
        found += here
    return found


def _keys(manifest: str) -> Optional[List[str]]:
    """Return the paths of the files that a manifest lists; None for a file that is no manifest of an export."""
    try:
        content: Any = json.loads(Path(manifest).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise AwsError(explain_os_error("read", manifest, error)) from error
    except (ValueError, RecursionError):
        raise AwsError(f"{manifest} is no JSON, so nobody knows which files count: fetch it again") from None
    for name in _LISTS:
        keys = content.get(name) if isinstance(content, dict) else None
        if isinstance(keys, list) and keys and all(isinstance(one, str) for one in keys):
            return list(dict.fromkeys(keys))
    return None


def _latest(deliveries: Iterable[Tuple[str, ...]], export: str, period: str) -> Tuple[str, ...]:
    """Return the only delivery, or the latest by date; raises `AwsError` where names do not tell."""
    every = sorted(deliveries)
    if len(every) > 1 and not all(one and _DATED.match(one[0]) for one in every):
        raise AwsError(f"{export} holds {len(every)} deliveries of {period} and no manifest that says which is the "
                       "latest: give the folder of one of them, or fetch the manifest too")
    return every[-1]


def _without_twins(paths: Sequence[str]) -> Tuple[List[str], List[str]]:
    """Return files without those that stand beside an unzipped copy of themselves, and these."""
    every = set(paths)
    twins = [path for path in paths if path.lower().endswith(".gz") and path[:-3] in every]
    return [path for path in paths if path not in twins], twins
