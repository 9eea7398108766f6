"""A made-up company's bill of thirteen months, with resources, their use, and waste planted in them."""
from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Dict, List, Mapping, Optional

from aws.charges import ZERO
from aws.company.assets import Asset, Maker
from aws.company.billing import Biller, Span, span_of
from aws.company.truth import truth_of
from aws.ledger import Ledger, LedgerSource
from aws.sources.base import ACTUAL, Inventory, Resource

_ABOUT = "All of this is simulated: {name} is a made-up company, its prices are list prices of AWS as of 2026."
_LINES = 90_000  # about as many as there are, for progress
_EVERY = 2_000


class SimulatedSource(LedgerSource):
    """The bill of the company in `aws/company/company.json`, until yesterday; equal seeds and days, equal digits."""

    id = "simulated"
    title = "Simulated company"
    description = "Thirteen months of a made-up company's AWS bill with planted waste, the same for the same seed"

    company: Optional[Dict[str, Any]] = None  # another than the one of the file
    _made: Optional[List[Asset]] = None

    @property
    def span(self) -> Span:
        """Return the days of the bill."""
        return span_of(self.options.today)

    def load(self) -> Ledger:
        """Make the bill."""
        ledger, maker = Ledger(), Maker(self.options.seed, self.company)
        ledger.notes.append(_ABOUT.format(name=maker.company["name"]))
        for number, charge in enumerate(Biller(maker, self.span).charges(self._assets())):
            if not number % _EVERY:
                self.progress("Simulating a bill", min(1.0, number / _LINES))
            ledger.add(charge)
        self.progress("Simulating a bill", 1.0)
        return ledger

    def inventory(self, first: date, last: date) -> Inventory:
        """Return the resources that stood in a period with what they cost, were like, and were measured to do."""
        assets = {(one.account, one.id): one for one in self._assets() if one.id}
        billed = super().inventory(first, last)
        found = [self._told(one, assets.get((one.account, one.id))) for one in billed.resources]
        for one in assets.values():
            began = self.span.last - timedelta(one.since - 1) if one.since else self.span.first
            if not one.meters and began <= last:  # it stands, and costs nothing by itself
                found.append(self._told(Resource(one.id, one.kind, one.service, one.id, one.account, one.region,
                                                 one.tags, cost=ZERO, cost_basis=ACTUAL), one))
        return Inventory(tuple(found), billed.notes)

    def truth(self) -> Dict[str, Any]:
        """Return what was planted, as data that JSON can hold; see `aws/company/truth.py`."""
        return truth_of(self._assets(), self.ledger, self.span, self.options.seed)

    def _assets(self) -> List[Asset]:
        if self._made is None:
            self._made = Maker(self.options.seed, self.company).assets()
        return self._made

    def _told(self, resource: Resource, asset: Optional[Asset]) -> Resource:
        if asset is None:
            return resource
        return resource._replace(kind=asset.kind, name=asset.name or resource.name, facts=self._facts(asset),
                                 use=asset.use)

    def _facts(self, asset: Asset) -> Mapping[str, str]:
        """Return what is known of an asset, with the day that it was made on."""
        facts = dict(asset.facts)
        ago = int(facts.pop("created_days_ago", asset.since - 1 if asset.since else 0))
        created = self.span.last - timedelta(ago) if ago else self.span.first
        return dict(facts, created=created.isoformat())
