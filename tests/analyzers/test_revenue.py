from __future__ import annotations

import calendar
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from builders import call, rollup_of

from analyzers.revenue import Economics, book_of, combined, each, latest, open_book, prorated, target_margin
from calls.values import NANO_PER_USD, parse_timestamp
from config import Settings
from errors import UsageError
from rollup.dataset import load_dataset

USD = NANO_PER_USD


def noon(day: str, **changes):
    return call(timestamp=f"{day}T12:00:00Z", **changes)


def every_ten_minutes(first: str, last: str, **changes):
    begin, end = parse_timestamp(first), parse_timestamp(last)
    return [call(timestamp_ms=time, **changes) for time in range(begin, end, 600_000)]


def accounts_of(*calls):
    return open_book(rollup_of(calls)).accounts


def test_a_whole_month_earns_the_whole_price() -> None:
    january, = accounts_of(noon("2026-01-01"), noon("2026-01-31"))
    assert (january.month, january.calendar_days) == ("2026-01", 31)
    assert january.economics == Economics(31, 99 * USD, 1_200_000, 2, 0, 300)


def test_a_price_is_prorated_in_each_month_to_the_days_from_first_to_last_call() -> None:
    january, february = accounts_of(noon("2026-01-17"), noon("2026-02-14"))
    assert [one.economics.days for one in (january, february)] == [15, 14]
    assert january.economics.revenue_nano == 47_903_225_806  # 99 x 15 / 31
    assert february.economics.revenue_nano == 49_500_000_000  # 99 x 14 / 28


def test_a_month_without_calls_between_two_with_calls_is_paid_and_costs_nothing() -> None:
    february = accounts_of(noon("2026-01-31"), noon("2026-03-01"))[1]
    assert february.economics == Economics(28, 99 * USD)


def test_a_new_price_holds_from_its_first_day() -> None:
    january, = accounts_of(
        noon("2026-01-01", subscription_tier="starter", tier_price_nano=29 * USD), noon("2026-01-11"),
        noon("2026-01-20"))
    assert january.economics.revenue_nano == 41_290_322_581  # (10 x 29 + 10 x 99) / 31
    assert (january.tier, january.price_nano) == ("pro", 99 * USD)


def test_of_two_prices_on_a_day_the_one_of_most_calls_counts_and_of_equals_the_higher() -> None:
    cheap, dear = noon("2026-01-05", tier_price_nano=29 * USD, subscription_tier="starter"), noon("2026-01-05")
    others = [noon("2026-01-01", customer_id="other"), noon("2026-01-10", customer_id="other")]
    mostly_cheap = latest(accounts_of(cheap, cheap, dear, *others))["cust_1"]
    even = latest(accounts_of(cheap, dear, *others))["cust_1"]
    assert mostly_cheap.economics.revenue_nano == prorated(29 * USD, 1, 31)
    assert even.economics.revenue_nano == prorated(99 * USD, 1, 31)
    assert even.economics.calls == 2


def test_half_a_nano_dollar_is_rounded_to_even() -> None:
    assert [prorated(nano, 1, 2) for nano in (1, 3, 5)] == [0, 2, 2]


def test_a_partial_day_counts_neither_as_revenue_nor_as_cost_and_is_shown_as_left_out() -> None:
    book = open_book(rollup_of(every_ten_minutes("2026-01-01T12:00:00Z", "2026-01-03T12:00:00Z")))
    assert book.days == ["2026-01-02"]
    account, = book.accounts
    assert account.economics == Economics(1, prorated(99 * USD, 1, 31), 144 * 600_000, 144, 0, 144 * 150)
    assert (book.left_out.calls, book.left_out.cost_nano) == (144, 144 * 600_000)


def test_a_span_of_days_is_taken_by_itself() -> None:
    rollup = rollup_of([noon(f"2026-01-{day:02}", cost_nano=day) for day in (1, 4, 6, 9, 10)])
    spans = [[f"2026-01-{day:02}" for day in range(first, first + 5)] for first in (1, 6)]
    before, now = (book_of(rollup, span).accounts[0].economics for span in spans)
    assert (before.days, before.revenue_nano, before.cost_nano) == (4, prorated(99 * USD, 4, 31), 1 + 4)
    assert (now.days, now.revenue_nano, now.cost_nano) == (5, prorated(99 * USD, 5, 31), 6 + 9 + 10)
    assert book_of(rollup, spans[0]).left_out.calls == 3


def test_a_log_without_a_whole_day_has_no_accounts_and_leaves_everything_out() -> None:
    for calls in ([], [noon("2026-01-01")], every_ten_minutes("2026-01-01T12:00:00Z", "2026-01-01T14:00:00Z")):
        book = open_book(rollup_of(calls))
        priced = sum(one.economics.calls for one in book.accounts)
        assert priced + book.left_out.calls == len(calls)


def test_the_book_is_opened_again_when_the_rollup_has_grown() -> None:
    rollup = rollup_of([noon("2026-01-01")] * 2)
    assert open_book(rollup) is open_book(rollup)
    rollup.merge(rollup_of([noon("2026-01-31")]))
    assert open_book(rollup).accounts[0].economics.days == 31


def test_a_margin_is_unknown_when_many_calls_are_unpriced_unless_it_is_a_loss_already() -> None:
    assert Economics(1, 10, 4, 100, 5).margin_nano == 6
    assert Economics(1, 10, 4, 100, 6).margin_nano is None
    assert Economics(1, 10, 14, 100, 6).margin_nano == -4
    assert Economics(1, 0, 0, 1, 0).margin_share is None


def test_sums_and_means_of_nothing_are_nothing() -> None:
    assert combined([]) == Economics()
    assert each(5, 0) is None
    assert each(10, 4) == Decimal("0.000000002")


def test_a_target_of_all_revenue_is_refused_and_others_are_exact() -> None:
    assert target_margin(Settings(target_margin=0.6)) == Fraction(3, 5)
    with pytest.raises(UsageError, match="target_margin"):
        target_margin(Settings(target_margin=1.0))


def test_a_simulated_log_gives_what_its_rows_added_up_one_by_one_give(log) -> None:
    book = open_book(load_dataset(log.path, use_checkpoint=False).rollup)
    spent, seen, price = defaultdict(int), defaultdict(set), {}
    for one in sorted(log.calls, key=lambda one: one.timestamp_ms):
        day = (date(1970, 1, 1) + timedelta(milliseconds=one.timestamp_ms)).isoformat()
        if book.days[0] <= day <= book.days[-1]:
            spent[one.customer_id, day[:7]] += one.cost_nano
            seen[one.customer_id].add(day)
            price[one.customer_id] = one.tier_price_nano
    owed = defaultdict(Fraction)
    for customer, days in seen.items():
        day, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
        while day <= last:
            length = calendar.monthrange(day.year, day.month)[1]
            owed[customer, day.isoformat()[:7]] += Fraction(price[customer], length)
            day += timedelta(days=1)
    assert {(one.customer, one.month): one.economics.revenue_nano for one in book.accounts} == {
        key: round(amount) for key, amount in owed.items()}
    assert {(one.customer, one.month): one.economics.cost_nano for one in book.accounts} == {
        key: spent.get(key, 0) for key in owed}
    assert set(latest(book.accounts)) == set(seen)
