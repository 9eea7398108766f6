"""The only door to boto3: sessions, assumed roles, clients, and requests with their pages.

Everything untyped stays behind `Connections.ask`, which takes an `Operation` and yields plain items.
"""
from __future__ import annotations

import importlib
import threading
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

from aws.live.failures import Failure, failure
from aws.live.meter import Meter
from aws.live.operations import ASSUME_ROLE, DESCRIBE_REGIONS, GET_CALLER_IDENTITY, Operation
from aws.live.patience import Breaker, Surroundings, insist
from aws.sources.base import SourceOptions
from errors import AwsError

HOME_REGION = "us-east-1"  # asked where neither a flag nor the configuration names a region
ROLE_SECONDS = 3000.0  # after which a role is assumed anew; AWS lets it live for an hour
_NO_BOTO3 = ("reading AWS itself needs boto3, which is not installed: run pip install boto3 (or pip install .[aws]), "
             "or choose --source simulated or export")
_ROLE_SESSION = "finops-costs"
_CONNECT_SECONDS, _READ_SECONDS = 10, 60
_NOWHERE = ("ce", "sts")  # services of no region, which a sentence would only confuse with one
_CONNECTIONS = 16  # of one client at a time; no fewer than the threads that look for resources

Item = Dict[str, Any]


class Account(NamedTuple):
    """An account that is asked: its number, and the role by which, empty for the caller's own."""

    id: str
    role: str = ""


class Place(NamedTuple):
    """Where a request goes."""

    account: Account
    region: str

    def __str__(self) -> str:
        """Return it as a sentence names it."""
        return f"{self.region} of account {self.account.id}"


class Connections:
    """Clients for all accounts and regions, safe to share between threads.

    Nothing is opened before the first request. botocore itself tries each request once: `insist` is what repeats.
    """

    def __init__(self, options: SourceOptions, meter: Meter, surroundings: Surroundings) -> None:
        """Remember how to connect."""
        self._options = options
        self.meter = meter
        self._surroundings = surroundings
        self._lock = threading.RLock()  # sessions are not safe to share, clients are
        self._sessions: Dict[str, Any] = {}
        self._assumed_at: Dict[str, float] = {}
        self._clients: Dict[Tuple[str, str, str], Any] = {}
        self._breakers: Dict[Tuple[str, str, str], Breaker] = {}

    @property
    def home(self) -> str:
        """Return the region for what is in no region of its own."""
        return str(self._session("").region_name or HOME_REGION)

    def accounts(self) -> Tuple[List[Account], List[str]]:
        """Return each account once, and what could not be reached; raises `AwsError` where nothing can."""
        found: Dict[str, Account] = {}
        notes = []
        for role in self._options.roles or ("",):
            try:
                answer = self.answer(GET_CALLER_IDENTITY, Place(Account("", role), self.home), {})
            except Failure as error:
                if len(self._options.roles) < 2:
                    raise
                notes.append(f"Not asked: {role}, since {error}.")
                continue
            if answer["Account"] in found:
                notes.append(f"Asked once: {role} leads to account {answer['Account']}, as another role does.")
            found.setdefault(answer["Account"], Account(answer["Account"], role))
        if not found:
            raise AwsError(f"none of the roles can be assumed: {notes[0]}")
        return list(found.values()), notes

    def regions(self, account: Account) -> Tuple[List[str], List[str]]:
        """Return the regions to look into, those that are given or all that the account has on; and a note."""
        if self._options.regions:
            return list(self._options.regions), []
        try:
            return sorted(one["RegionName"] for one in self.ask(DESCRIBE_REGIONS, Place(account, self.home))), []
        except Failure as error:
            return [self.home], [f"Only {self.home} was looked into, since {error}; --region names others."]

    def serves(self, service: str, regions: Sequence[str]) -> List[str]:
        """Return those regions that have a service, as far as boto3 knows; all, where it knows nothing of it."""
        with self._lock:
            known = set(self._session("").get_available_regions(service))
        return [one for one in regions if one in known] if known else list(regions)

    def ask(self, operation: Operation, place: Place, **parameters: Any) -> Iterator[Item]:
        """Yield the items of all pages, each asked for with equal parameters; raises `Failure`."""
        for page in self.pages(operation, place, parameters):
            yield from page.get(operation.items) or ()

    def pages(self, operation: Operation, place: Place, parameters: Mapping[str, Any]) -> Iterator[Item]:
        """Yield the answers of all pages; a token that comes twice would never end, and is a `Failure`."""
        token = ""
        while True:
            page = self.answer(operation, place, dict(parameters, **({operation.token_in: token} if token else {})))
            yield page
            following = str(page.get(operation.token_out) or "") if operation.token_out else ""
            if not following:
                return
            if following == token:
                raise Failure(f"AWS answers {operation.action} with the same page again and again: ask for less",
                              "other")
            token = following

    def answer(self, operation: Operation, place: Place, parameters: Mapping[str, Any]) -> Item:
        """Return one answer, patiently asked for; raises `Failure`, or `AwsError` for a paid request too many."""
        breaker = self._breaker(place, operation.service)
        return insist(lambda: self._try(operation, place, parameters), breaker,
                      f"{operation.service} in {place.region}", self._surroundings,
                      lambda: self.meter.count("retries"))

    def _try(self, operation: Operation, place: Place, parameters: Mapping[str, Any]) -> Item:
        self.meter.enter(operation)
        try:
            method = getattr(self._client(place, operation.service), _method(operation.name))
            answer: Item = method(**parameters)
            return answer
        except AwsError:
            self.meter.failed(operation)
            raise
        except Exception as error:  # noqa: BLE001 - botocore raises classes of many families
            self.meter.failed(operation)
            raise failure(error, operation, "" if operation.service in _NOWHERE else place.region) from error

    def _client(self, place: Place, service: str) -> Any:
        role = place.account.role
        with self._lock:
            session = self._session(role)
            key = (role, place.region, service)
            if key not in self._clients:
                self._clients[key] = session.client(
                    service, region_name=place.region, endpoint_url=self._options.endpoint_url or None,
                    config=_config())
            return self._clients[key]

    def _session(self, role: str) -> Any:
        """Return the session of a role, assuming it where that is due."""
        with self._lock:
            old = self._surroundings.now() - self._assumed_at.get(role, 0.0) > ROLE_SECONDS
            if role not in self._sessions or (role and old):
                self._sessions[role] = self._assume(role) if role else self._own_session()
                self._assumed_at[role] = self._surroundings.now()
                self._clients = {key: one for key, one in self._clients.items() if key[0] != role}
            return self._sessions[role]

    def _own_session(self) -> Any:
        try:
            return _boto3().Session(profile_name=self._options.profile or None)
        except AwsError:
            raise
        except Exception as error:  # noqa: BLE001
            raise failure(error, GET_CALLER_IDENTITY) from error

    def _assume(self, role: str) -> Any:
        keys = self.answer(ASSUME_ROLE, Place(Account(""), self.home), {
            "RoleArn": role, "RoleSessionName": _ROLE_SESSION})["Credentials"]
        return _boto3().Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"],
                                region_name=self.home)

    def _breaker(self, place: Place, service: str) -> Breaker:
        with self._lock:
            return self._breakers.setdefault((place.account.role, place.region, service),
                                             Breaker(self._surroundings.now))


def _boto3() -> Any:
    try:
        return importlib.import_module("boto3")  # late: everything but live AWS runs without it
    except ImportError as error:
        raise AwsError(_NO_BOTO3) from error


def _config() -> Any:
    return importlib.import_module("botocore.config").Config(
        retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS, max_pool_connections=_CONNECTIONS)


def _method(name: str) -> str:
    return str(importlib.import_module("botocore").xform_name(name))
