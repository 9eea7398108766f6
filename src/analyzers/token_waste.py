"""Tokens that need not have been paid for: long prompts with tiny answers, premium models on small calls, growth.

The cells looked at are sums by day, customer, feature, provider and model; single calls are not kept, so a pattern
is told from a cell's mean.
"""
from __future__ import annotations

from bisect import bisect_right
from datetime import date
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from analyzers.base import LOW, MEDIUM, Recommendation, Results
from analyzers.common import LONGEST_PERIOD, add, change, median, monthly, ratio, usd
from catalog.loader import Catalog, load_catalog
from catalog.prices import CLASSES, PICO_PER_NANO, DatedPrice, Model
from rollup.cubes import Measures
from rollup.rollup import Group

LONG_PROMPT = 4000  # input tokens a call: twice what the 90th percentile of conversations in public traces takes
TINY_SHARE = 0.02  # output tokens for each input token; at usual prices the answer is then a tenth of the cost
MIN_PROMPT_CALLS = 30  # of a customer's feature and model, before the mean of its prompts is judged
MIN_PEERS = 3  # uses of the feature by other customers, whose median says what a prompt needs
EXCESS = 1.5  # times the peers' median prompt; less may be the customer's own content
SMALL_INPUT, SMALL_OUTPUT = 500, 200  # tokens a call that a model below premium answers as well
MIN_GROWTH_CALLS = 50  # in each of the two periods, of the same customer, feature and model
NOTABLE_GROWTH = 0.1  # of input tokens a call from the first period to the last
TOP = 20  # rows of each list, and LEAST_USD a month for a recommendation
LEAST_USD = 1

Cells = Sequence[Group]
Use = Tuple[str, ...]  # customer, feature, provider, model


class LongPrompts(NamedTuple):
    """A use whose prompts are long and whose answers are tiny; nanos over the whole log, None where unknown."""

    use: Use
    measures: Measures
    peers: Optional[float]
    input_nano: Optional[int]
    excess_nano: Optional[int]


class PremiumSmall(NamedTuple):
    """Small calls to a premium model of one feature; savings in nanos over the whole log, None where unknown."""

    feature: str
    model: Model
    measures: Measures
    alternative: Optional[str]
    saving_low: Optional[int]
    saving_high: Optional[int]


class Waste(NamedTuple):
    """Both patterns; no call is in both."""

    long_prompts: List[LongPrompts]
    premium_small: List[PremiumSmall]
    small_uses: Set[Use]

    def as_data(self) -> Results:
        """Return both patterns, the dearest first, as tables."""
        return {"long_prompts_tiny_answers": [_long_row(one) for one in self.long_prompts[:TOP]],
                "long_prompts_uses": len(self.long_prompts),
                "premium_on_small_calls": [_small_row(one) for one in self.premium_small[:TOP]],
                "thresholds": {"long_prompt_tokens": LONG_PROMPT, "tiny_answer_share": TINY_SHARE,
                               "small_input_tokens": SMALL_INPUT, "small_output_tokens": SMALL_OUTPUT,
                               "excess_over_peers": EXCESS, "min_calls": MIN_PROMPT_CALLS}}


class Grown(NamedTuple):
    """How the prompts of a feature, or a customer's feature, changed with the mix of models held still."""

    key: Tuple[str, ...]
    calls: int
    before: float
    now: float
    extra_nano: Optional[int]
    uses: List[Tuple[Use, Optional[int]]]


class Growth(NamedTuple):
    """Prompt growth from the first whole period to the last; both None where the log is too short."""

    first: Sequence[str]
    last: Sequence[str]
    by_feature: List[Grown]
    by_customer: List[Grown]

    def as_data(self) -> Results:
        """Return both periods and the growth by feature and by customer."""
        spans = [{"from": days[0], "to": days[-1], "days": len(days)} if days else None
                 for days in (self.first, self.last)]
        return {"first_period": spans[0], "last_period": spans[1], "min_calls": MIN_GROWTH_CALLS,
                "by_feature": [_grown_row(("feature",), one) for one in self.by_feature],
                "by_customer": [_grown_row(("customer", "feature"), one) for one in self.by_customer[:TOP]]}


def find_waste(cells: Cells) -> Waste:
    """Return the wasteful patterns in cells of (day, customer, feature, provider, model)."""
    uses: Dict[Use, List[Group]] = {}
    for cell in cells:
        uses.setdefault(cell.key[1:], []).append(cell)
    sums = {use: add(cell.measures for cell in held) for use, held in uses.items()}
    long = _long_prompts(sums, {use: held[-1].key[0] for use, held in uses.items()})
    premium, small_uses = _premium_small(cells, {one.use for one in long})
    return Waste(long, premium, small_uses)


def _long_prompts(sums: Dict[Use, Measures], last_days: Dict[Use, str]) -> List[LongPrompts]:
    peers: Dict[str, List[Tuple[str, float]]] = {}  # by feature, as what a prompt needs depends little on the model
    for use, one in sums.items():
        if one.calls >= MIN_PROMPT_CALLS:
            peers.setdefault(use[1], []).append((use[0], one.input_tokens / one.calls))
    found = []
    for use, one in sums.items():
        long = one.calls >= MIN_PROMPT_CALLS and one.input_tokens >= LONG_PROMPT * one.calls
        # A failed call has no answer though its prompt was long, so only the others' answers count as tiny.
        answered = one.input_tokens * (one.calls - one.failed) / one.calls
        if long and answered > 0 and one.output_tokens <= TINY_SHARE * answered:
            others = [size for customer, size in peers[use[1]] if customer != use[0]]
            found.append(_long_prompt(use, one, others, last_days[use]))
    return sorted(found, key=lambda one: (-(one.excess_nano or 0), -(one.input_nano or 0), one.use))


def _long_prompt(use: Use, one: Measures, others: Sequence[float], day: str) -> LongPrompts:
    """Return the cost of the prompts, and of what they exceed the median of other customers' by."""
    usual = median(others) if len(others) >= MIN_PEERS else None
    size = one.input_tokens / one.calls
    price = None if one.unpriced else _price(use, day)
    charged = one.input_tokens * (one.calls - one.failed) // one.calls
    # No more than the list price of the prompt, nor than what was paid: cached prompts are cheaper than the list.
    spent = None if price is None else min(one.cost_nano, charged * price.rate_for(int(size)).input // PICO_PER_NANO)
    if spent is None or usual is None:
        return LongPrompts(use, one, usual, spent, None)
    return LongPrompts(use, one, usual, spent, int(spent * (1 - usual / size)) if size > EXCESS * usual else 0)


def _price(use: Use, day: str) -> Optional[DatedPrice]:
    return load_catalog().price_on(use[2], use[3], date.fromisoformat(day))


class _Rivals:
    """Prices of the next lower class on a day, looked up once for each stretch of days with the same prices."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        dates = {catalog.as_of}
        for model in catalog.models:
            dates |= {day for day in (model.released, model.retired) if day}
            dates |= {price.since for price in model.prices if price.since}
        self._changes = sorted(day.isoformat() for day in dates)
        self._known: Dict[Tuple[Model, int], List[Tuple[Model, DatedPrice]]] = {}

    def of(self, model: Model, day: str) -> List[Tuple[Model, DatedPrice]]:
        """Return the models below premium that are cheaper that day, with their prices: cheapest first."""
        key = (model, bisect_right(self._changes, day))
        if key not in self._known:
            when = date.fromisoformat(day)
            priced = [(rival, rival.price_on(when)) for rival in self._catalog.cheaper_models(model, when)
                      if rival.capability != CLASSES[0]]
            self._known[key] = [(rival, price) for rival, price in priced if price]
        return self._known[key]


def _premium_small(cells: Cells, claimed: Set[Use]) -> Tuple[List[PremiumSmall], Set[Use]]:
    """Return small calls to premium models by feature and model, and the uses that they belong to."""
    catalog = load_catalog()
    premium = {name for name, model in catalog.names.items() if model.capability == CLASSES[0]}
    rivals = _Rivals(catalog)
    uses: Set[Use] = set()
    held: Dict[Tuple[str, Model], List[Group]] = {}
    for cell in cells:
        one = cell.measures
        small = one.input_tokens <= SMALL_INPUT * one.calls and one.output_tokens <= SMALL_OUTPUT * (
            one.calls - one.failed)
        if small and cell.key[3:] in premium and cell.key[1:] not in claimed:
            model = catalog.names[cell.key[3], cell.key[4]]
            held.setdefault((cell.key[2], model), []).append(cell)
            uses.add(cell.key[1:])
    found = [_small_calls(feature, model, small_cells, rivals) for (feature, model), small_cells in held.items()]
    return sorted(found, key=lambda one: (-(one.saving_low or 0), -one.measures.cost_nano, one.feature,
                                          one.model.provider, one.model.model)), uses


def _small_calls(feature: str, model: Model, cells: Cells, rivals: _Rivals) -> PremiumSmall:
    """Return what a model of the next class would have saved: the same provider's dearest, and the cheapest of all."""
    low, high, names = 0, 0, []
    known = False
    for cell in cells:
        options = [] if cell.measures.unpriced else rivals.of(model, cell.key[0])
        if options:
            known = True
            own = [option for option in options if option[0].provider == model.provider]
            near = (own or options)[-1]
            names.append(f"{near[0].provider}/{near[0].model}")
            low += _saved(cell.measures, near[1])
            high += max(_saved(cell.measures, price) for _, price in options)
    whole = add(cell.measures for cell in cells)
    if not known:
        return PremiumSmall(feature, model, whole, None, None, None)
    # The one of the latest day: names ascend by day as the cells do.
    return PremiumSmall(feature, model, whole, names[-1], max(0, low), max(0, high))


def _saved(one: Measures, price: DatedPrice) -> int:
    charged = one.input_tokens * (one.calls - one.failed) // one.calls
    return one.cost_nano - (charged * price.input + one.output_tokens * price.output) // PICO_PER_NANO


def find_growth(cells: Cells, days: Sequence[str]) -> Growth:
    """Return how prompts grew from the first whole period to the last of equal length, at most 30 days each."""
    length = min(LONGEST_PERIOD, len(days) // 2)
    if 7 <= length < LONGEST_PERIOD:
        length -= length % 7  # whole weeks: a weekend's prompts may differ
    if not length:
        return Growth([], [], [], [])
    first, last = days[:length], days[-length:]
    before, now = (_sums(cells, set(period)) for period in (first, last))
    return Growth(first, last, _grown(before, now, (1,), last[-1]), _grown(before, now, (0, 1), last[-1]))


def _sums(cells: Cells, days: Set[str]) -> Dict[Use, Tuple[int, int, int]]:
    """Return calls, input tokens and failed calls of each use in a period."""
    sums: Dict[Use, Tuple[int, int, int]] = {}
    for cell in cells:
        if cell.key[0] in days:
            calls, tokens, failed = sums.get(cell.key[1:], (0, 0, 0))
            one = cell.measures
            sums[cell.key[1:]] = (calls + one.calls, tokens + one.input_tokens, failed + one.failed)
    return sums


def _grown(before: Dict[Use, Tuple[int, int, int]], now: Dict[Use, Tuple[int, int, int]], places: Tuple[int, ...],
           day: str) -> List[Grown]:
    """Return the growth by customer or feature: only uses with enough calls in both periods, on today's mix."""
    held: Dict[Tuple[str, ...], List[Use]] = {}
    for use, one in now.items():
        if min(one[0], before.get(use, (0, 0, 0))[0]) >= MIN_GROWTH_CALLS:
            held.setdefault(tuple(use[place] for place in places), []).append(use)
    found = []
    for key, uses in held.items():
        calls = sum(now[use][0] for use in uses)
        was = sum(before[use][1] / before[use][0] * now[use][0] for use in uses)
        extra = [(use, _extra_nano(use, before[use], now[use], day)) for use in uses]
        known = [nano for _, nano in extra if nano is not None]
        found.append(Grown(key, calls, was / calls, sum(now[use][1] for use in uses) / calls,
                           sum(known) if len(known) == len(extra) else None, extra))
    return sorted(found, key=lambda one: (-((change(one.now, one.before) or 0) * one.calls * one.before), one.key))


def _extra_nano(use: Use, before: Tuple[int, int, int], now: Tuple[int, int, int], day: str) -> Optional[int]:
    """Return what the growth of a use's prompts cost in the last period at list price; None if unknown."""
    price = _price(use, day)
    if price is None:
        return None
    extra = (now[1] / now[0] - before[1] / before[0]) * (now[0] - now[2])
    return int(extra * price.rate_for(now[1] // now[0]).input) // PICO_PER_NANO


def recommend(waste: Waste, growth: Growth, days: int, month_days: float) -> List[Recommendation]:
    """Return what to do about waste and growth; the three kinds share no use, so their dollars add up."""
    claimed = {one.use for one in waste.long_prompts} | waste.small_uses
    found = (_trim(waste.long_prompts, days, month_days) + _downgrade(waste.premium_small, days, month_days)
             + _curb(growth, claimed, month_days))
    worthy = [one for one in found if one.monthly_usd is not None and one.monthly_usd >= LEAST_USD]
    return worthy + _cache(waste.long_prompts, days, month_days)


def _cache(long_prompts: Sequence[LongPrompts], days: int, month_days: float) -> List[Recommendation]:
    """Return features whose long prompts are what all customers send: what they cost is known, the saving is not."""
    features: Dict[str, List[LongPrompts]] = {}
    for one in long_prompts:
        if one.input_nano and not one.excess_nano:
            features.setdefault(one.use[1], []).append(one)
    found = []
    for feature, held in features.items():
        nano = sum(one.input_nano or 0 for one in held)
        whole = add(one.measures for one in held)
        if monthly(nano, days, month_days) >= LEAST_USD:
            found.append(Recommendation(
                f"{feature}: find out whether its long prompts repeat and can be cached or cut", None,
                f"{whole.calls:,} calls send {whole.input_tokens / whole.calls:,.0f} tokens for an answer of "
                f"{whole.output_tokens / whole.calls:,.0f}; the prompts cost about ${usd(nano):,.2f} in {days} days; "
                "how much of them repeats is not in the log", LOW))
    return found


def _trim(long_prompts: Sequence[LongPrompts], days: int, month_days: float) -> List[Recommendation]:
    features: Dict[str, List[LongPrompts]] = {}
    for one in long_prompts:
        if one.excess_nano:
            features.setdefault(one.use[1], []).append(one)
    found = []
    for feature, held in features.items():
        worst, excess = held[0], sum(one.excess_nano or 0 for one in held)
        size = worst.measures.input_tokens / worst.measures.calls
        found.append(Recommendation(
            f"{feature}: trim the prompts of {len(held)} uses to what other customers' take",
            monthly(excess, days, month_days),
            f"{worst.use[0]} sends {size:,.0f} input tokens a call to {worst.use[3]} where the median of other "
            f"customers is {worst.peers:,.0f}, for {worst.measures.output_tokens / worst.measures.calls:,.0f} tokens "
            f"of answer; the excess of all such uses cost ${usd(excess):,.2f} in {days} days", MEDIUM))
    return found


def _downgrade(premium: Sequence[PremiumSmall], days: int, month_days: float) -> List[Recommendation]:
    found = []
    for one in premium:
        if one.saving_low and one.saving_high is not None:
            name = f"{one.model.provider}/{one.model.model}"
            found.append(Recommendation(
                f"{one.feature}: send small calls of {name} to {one.alternative}",
                monthly(one.saving_low, days, month_days),
                f"{one.measures.calls:,} calls with at most {SMALL_INPUT} tokens in and {SMALL_OUTPUT} out on average "
                f"cost ${usd(one.measures.cost_nano):,.2f} in {days} days; list prices of those days would have "
                f"saved ${usd(one.saving_low):,.2f} to ${usd(one.saving_high):,.2f}", MEDIUM))
    return found


def _curb(growth: Growth, claimed: Set[Use], month_days: float) -> List[Recommendation]:
    features: Dict[str, List[Tuple[Grown, int]]] = {}
    for one in growth.by_customer:
        free = [nano for use, nano in one.uses if use not in claimed and nano is not None]
        if sum(free) > 0 and (change(one.now, one.before) or 0) >= NOTABLE_GROWTH:
            features.setdefault(one.key[1], []).append((one, sum(free)))
    found = []
    for feature, held in features.items():
        nano, worst = sum(extra for _, extra in held), max(held, key=lambda item: item[1])[0]
        found.append(Recommendation(
            f"{feature}: find out why the prompts of {len(held)} customers grew", monthly(
                nano, len(growth.last), month_days),
            f"{worst.key[0]} went from {worst.before:,.0f} to {worst.now:,.0f} input tokens a call on the same "
            f"models ({worst.calls:,} calls) between {growth.first[0]} and {growth.last[-1]}; together the growth "
            f"cost ${usd(nano):,.2f} in the last {len(growth.last)} days", LOW))
    return found


def _long_row(one: LongPrompts) -> Results:
    row: Results = dict(zip(("customer", "feature", "provider", "model"), one.use))
    row.update(calls=one.measures.calls, input_tokens_per_call=one.measures.input_tokens / one.measures.calls,
               output_tokens_per_call=one.measures.output_tokens / one.measures.calls, peers_median_input=one.peers,
               input_cost=None if one.input_nano is None else usd(one.input_nano),
               excess_cost=None if one.excess_nano is None else usd(one.excess_nano))
    return row


def _small_row(one: PremiumSmall) -> Results:
    calls = one.measures.calls
    return {"feature": one.feature, "provider": one.model.provider, "model": one.model.model, "calls": calls,
            "input_tokens_per_call": one.measures.input_tokens / calls,
            "output_tokens_per_call": one.measures.output_tokens / calls, "cost": usd(one.measures.cost_nano),
            "alternative": one.alternative,
            "saving_low": None if one.saving_low is None else usd(one.saving_low),
            "saving_high": None if one.saving_high is None else usd(one.saving_high)}


def _grown_row(names: Sequence[str], one: Grown) -> Results:
    row: Results = dict(zip(names, one.key))
    row.update(calls=one.calls, input_tokens_per_call_before=one.before, input_tokens_per_call_now=one.now,
               change=change(one.now, one.before), factor=ratio(one.now, one.before),
               extra_cost_in_last_period=None if one.extra_nano is None else usd(one.extra_nano))
    return row
