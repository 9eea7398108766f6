"""A look at all that stands in some accounts: services, regions and accounts side by side, whatever fails.

A region that does not answer or a right that is missing becomes a note; the rest is found all the same.
"""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Dict, List, NamedTuple, Sequence, Tuple

from aws.live.connections import Account, Connections, Place
from aws.live.failures import Failure
from aws.resources.base import Look, Part, Service, discover_services
from aws.sources.base import Inventory, Progress, Resource

WORKERS = 8  # requests at a time: well below what each service's API takes from one account

Identity = Tuple[str, str]  # account and id


class _Task(NamedTuple):
    """One request, or few that follow from another."""

    service: Service
    part: Part
    look: Look


class _Done(NamedTuple):
    """What a task found, and what stopped it, if anything did."""

    task: _Task
    found: List[Resource]
    failed: List[Failure]


def look_around(connections: Connections, accounts: Sequence[Account], progress: Progress) -> Inventory:
    """Return every resource once, in order of service and id, without costs; tags are put together."""
    services = [one() for one in discover_services().values()]
    tasks, notes = _tasks(connections, accounts, services)
    done: List[_Done] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for future in as_completed([pool.submit(_look, task) for task in tasks]):
            done.append(future.result())
            progress(f"looked for {done[-1].task.service.title} in {done[-1].task.look.place}", len(done) / len(tasks))
    # The order of answers is chance; that of services is not, and the first to find a resource knows most of it.
    order = {id(task): number for number, task in enumerate(tasks)}
    done.sort(key=lambda one: order[id(one.task)])
    found = _each_once([resource for one in done for resource in one.found])
    return Inventory(tuple(sorted(found, key=lambda one: (one.service, one.account, one.id))),
                     tuple(notes + _notes(done)))


def _tasks(connections: Connections, accounts: Sequence[Account],
           services: Sequence[Service]) -> Tuple[List[_Task], List[str]]:
    tasks: List[_Task] = []
    notes: List[str] = []
    for account in accounts:
        regions, said = connections.regions(account)
        notes += [one for one in said if one not in notes]
        for service in services:
            asked = connections.serves(service.client, regions) if service.everywhere else [connections.home]
            tasks += [_Task(service, part, Look(connections, Place(account, region)))
                      for region in asked for part in service.parts()]
    return tasks, notes


def _look(task: _Task) -> _Done:
    found: List[Resource] = []
    try:
        for resource in task.part(task.look):
            found.append(resource)  # one by one, so that those before a failure are kept
    except Failure as error:
        return _Done(task, found, [error])
    return _Done(task, found, [])


def _each_once(found: Sequence[Resource]) -> List[Resource]:
    kept: Dict[Identity, Resource] = {}
    for one in found:
        before = kept.get((one.account, one.id))
        if before is None:
            kept[one.account, one.id] = one
        elif one.tags:
            tags = {**one.tags, **before.tags}
            named = before.name if before.name != before.id else tags.get("Name", before.name)
            kept[one.account, one.id] = before._replace(tags=tags, name=named)
    return list(kept.values())


def _notes(done: Sequence[_Done]) -> List[str]:
    """Return a sentence for each kind of failure, with all actions that failed so, and where."""
    failed: Dict[Tuple[str, str, Tuple[str, ...]], List[_Done]] = {}
    for ones in _by_action(done).values():
        error, places = ones[0].failed[0], tuple(sorted({str(one.task.look.place) for one in ones}))
        failed.setdefault((error.said_of(["it"], ["it"]), ones[0].task.service.normal, places), []).extend(ones)
    return [_note(ones) for ones in failed.values()]


def _by_action(done: Sequence[_Done]) -> Dict[Tuple[str, str], List[_Done]]:
    found: Dict[Tuple[str, str], List[_Done]] = {}
    for one in done:
        for error in one.failed:
            found.setdefault((error.action, error.said_of(["it"], ["it"])), []).append(one)
    return found


def _note(ones: Sequence[_Done]) -> str:
    places = {one.task.look.place for one in ones}
    alone = len({place.account for place in places}) == 1
    service = ones[0].task.service
    sentence = ones[0].failed[0].said_of({one.failed[0].action for one in ones},
                                         {place.region if alone else str(place) for place in places})
    titles = ", ".join(dict.fromkeys(one.task.service.title for one in ones))
    return f"Not told in full: {titles}, since {sentence}{', ' + service.normal if service.normal else ''}."
