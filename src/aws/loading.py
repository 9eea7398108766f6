"""A bill in memory from any source, so that questions about it cost nothing and take no time."""
from __future__ import annotations

from datetime import date, timedelta
from typing import Iterator, Tuple

from aws.asking import Asking
from aws.charges import Amounts, Charge
from aws.ledger import Ledger, LedgerSource
from aws.queries import DAILY, CostQuery
from aws.sources.base import Progress, Source

_NOBODY: Progress = lambda what, share: None  # noqa: E731 (a constant of the contract's type)


class LoadedSource(LedgerSource):
    """What a source told of some days by service, account and region, held in memory."""

    def __init__(self, source: Source, days: Tuple[date, date], progress: Progress) -> None:
        """Remember whom to ask; all is asked at the first question."""
        super().__init__(source.options, progress)
        self.id, self.title, self.description = source.id, source.title, source.description
        self._source, self._days = source, days

    def load(self) -> Ledger:
        """Ask region by region, since two dimensions are all that Cost Explorer groups by."""
        ledger = Ledger(self._charges())
        ledger.notes.append("Credits, refunds, tax and support are in the costs of their services here: the loaded "
                            "bill knows days, services, accounts and regions.")
        return ledger

    def _charges(self) -> Iterator[Charge]:
        metrics = tuple(one for one in self._source.metrics() if one in Amounts._fields and one != "usage")
        regions = self._source.values("region", *self._days)
        for place, region in enumerate(regions):
            self.progress(f"loading {region or 'what has no region'}", place / len(regions))
            answer = self._source.costs(CostQuery(*self._days, DAILY, metrics, ("service", "account"),
                                                  {"region": (region,)}))
            for row in answer.rows:
                yield Charge(row.first, row.first + timedelta(days=1), row.keys[1], row.keys[0],
                             Amounts(**dict(zip(metrics, row.amounts))), region, currency=answer.currency,
                             estimated=row.estimated)


def loaded(source: Source, progress: Progress = _NOBODY) -> LedgerSource:
    """Return a source that holds its whole bill already as it is, any other one's last months in memory."""
    if isinstance(source, LedgerSource):
        source.period()  # reads the bill
        return source
    held = LoadedSource(source, Asking(source).days, progress)
    held.period()
    return held
