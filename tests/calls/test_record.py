"""The call record: a row of 19 texts, read, checked and written."""
from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from calls.record import FIELDS, HEADER, REFUSED, STATUSES, AICall, plain_amount
from calls.values import CALLS_END_MS
from errors import RecordError

ROW = ["sim-1", "2026-01-31T12:00:00.000Z", "cust-7", "org-3", "assist", "chat", "openai", "gpt-4o", "100", "20", "120",
       "0.000450000", "812", "success", "production", "us-east-1", "pro", "99", "power"]
CALL = AICall("sim-1", 1_769_860_800_000, "cust-7", "org-3", "assist", "chat", "openai", "gpt-4o", 100, 20, 120,
              450_000, 812, "success", "production", "us-east-1", "pro", 99_000_000_000, "power")
TEXTS = [field for field in FIELDS if isinstance(getattr(CALL, field, 0), str)
         and field not in ("timestamp", "cost_usd", "tier_price_usd")]
NUMBERS = ["input_tokens", "output_tokens", "total_tokens", "tier_price_usd"]
MAY_BE_UNKNOWN = ["cost_usd", "latency_ms"]


def _row(**changes):
    return [changes.get(field, text) for field, text in zip(FIELDS, ROW)]


def _refusal(row):
    with pytest.raises(RecordError) as caught:
        AICall.from_row(row)
    return caught.value


def test_the_log_has_these_19_fields_in_this_order():
    assert HEADER == ("call_id,timestamp,customer_id,organization_id,product_id,feature_id,provider,model,input_tokens,"
                      "output_tokens,total_tokens,cost_usd,latency_ms,status,environment,region,subscription_tier,"
                      "tier_price_usd,customer_archetype")
    assert len(FIELDS) == len(set(FIELDS)) == len(AICall._fields) == 19


def test_there_are_five_statuses_of_which_three_are_refusals():
    assert STATUSES == ("success", "timeout", "rate_limit", "auth_error", "server_error")
    assert {"rate_limit", "auth_error", "server_error"} == REFUSED


def test_a_row_is_read_into_exact_values():
    assert AICall.from_row(ROW) == CALL


def test_a_call_is_written_as_its_row():
    assert CALL.to_row() == ROW


@pytest.mark.parametrize("row, count", [(ROW[:-1], 18), (ROW + ["more"], 20), ([], 0)])
def test_a_row_of_another_length_is_refused_with_its_length(row, count):
    error = _refusal(row)
    assert (error.field, error.reason) == ("row", f"has {count} fields instead of 19")
    assert str(error) == f"row: has {count} fields instead of 19"


def test_the_text_fields_are_twelve():
    assert len(TEXTS) == 12


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("text", ["", " ", "\t"])
def test_a_text_field_that_is_empty_is_refused_by_name(field, text):
    error = _refusal(_row(**{field: text}))
    assert (error.field, error.reason) == (field, "is empty")


@pytest.mark.parametrize("field", NUMBERS)
def test_a_number_field_that_is_empty_is_refused_by_name(field):
    error = _refusal(_row(**{field: ""}))
    assert (error.field, error.reason) == (field, "is empty")


@pytest.mark.parametrize("field", NUMBERS + MAY_BE_UNKNOWN)
@pytest.mark.parametrize("text, reason", [
    ("-1", "'-1' is negative"), ("nan", "'nan' is not a plain number"), ("1_0", "'1_0' is not a plain number"),
    ("1e309", "'1e309' is too large")])
def test_a_number_field_that_is_no_number_is_refused_by_name(field, text, reason):
    error = _refusal(_row(**{field: text}))
    assert (error.field, error.reason) == (field, reason)


@pytest.mark.parametrize("field", ["input_tokens", "output_tokens", "total_tokens", "latency_ms"])
def test_a_count_with_a_fraction_is_refused_by_name(field):
    assert str(_refusal(_row(**{field: "1.5"}))) == f"{field}: '1.5' is not a whole number"


def test_a_time_that_is_impossible_is_refused():
    error = _refusal(_row(timestamp="2026-02-30T00:00:00Z"))
    assert error.field == "timestamp"
    assert error.reason.startswith("'2026-02-30T00:00:00Z' is no possible time: day ")


def test_a_time_before_1970_is_refused():
    assert str(_refusal(_row(timestamp="1969-12-31T23:59:59.999Z"))) == (
        "timestamp: '1969-12-31T23:59:59.999Z' is before 1970")
    assert AICall.from_row(_row(timestamp="1970-01-01")).timestamp_ms == 0


@pytest.mark.parametrize("late", ["2100-01-01", "9999-12-31T23:59:59.999Z", "2099-12-31T23:00:00-02:00"])
def test_a_time_after_2099_is_refused_since_a_clock_that_ran_away_must_not_make_a_calendar_of_ages(late):
    with pytest.raises(RecordError, match=f"timestamp: '{late}' is after 2099"):
        AICall.from_row(_row(timestamp=late))
    assert AICall.from_row(_row(timestamp="2099-12-31T23:59:59.999Z"))


def test_the_first_bad_field_is_the_one_that_is_named():
    assert _refusal(_row(latency_ms="x", call_id="", total_tokens="7")).field == "call_id"


def test_tokens_that_do_not_add_up_are_refused_with_the_sum():
    error = _refusal(_row(total_tokens="121"))
    assert (error.field, error.reason) == ("total_tokens", "121 is not 100 input + 20 output tokens")


@pytest.mark.parametrize("field, name, column, zero", [
    ("cost_usd", "cost_nano", 11, "0.000000000"), ("latency_ms", "latency_ms", 12, "0")])
def test_an_empty_cost_or_latency_is_unknown_and_not_zero(field, name, column, zero):
    unknown, none = AICall.from_row(_row(**{field: ""})), AICall.from_row(_row(**{field: "0"}))
    assert (getattr(unknown, name), getattr(none, name)) == (None, 0)
    assert (unknown.to_row()[column], none.to_row()[column]) == ("", zero)


@pytest.mark.parametrize("field", MAY_BE_UNKNOWN)
def test_a_space_is_no_unknown_value(field):
    assert str(_refusal(_row(**{field: " "}))) == f"{field}: ' ' is not a plain number"


@pytest.mark.parametrize("field, texts, categories", [
    ("cost_usd", ["-1", "-2.5"], {"cost_usd is negative"}),
    ("latency_ms", ["x", "y"], {"latency_ms is not a plain number"}),
    ("total_tokens", ["1", "2"], {"total_tokens is not input + output"}),
    ("timestamp", ["never", "soon"], {"timestamp is not an ISO 8601 time such as 2026-01-31T12:00:00.000Z"}),
    ("model", ["", " "], {"model is empty"})])
def test_faults_of_one_kind_share_a_category_whatever_their_text(field, texts, categories):
    assert {_refusal(_row(**{field: text})).category for text in texts} == categories


def test_text_is_kept_as_it_stands():
    odd = ' "quoted", with\nnewline and \u00e9 '
    call = AICall.from_row(_row(customer_id=odd))
    assert call.customer_id == odd
    assert call.to_row()[2] == odd


def test_other_spellings_of_a_value_are_written_in_the_one_form():
    call = AICall.from_row(_row(timestamp="2026-01-31 14:00:00+02:00", cost_usd="4.5e-4", tier_price_usd="99.00",
                                input_tokens="1e2"))
    assert call.to_row() == ROW


@pytest.mark.parametrize("nano, text", [
    (0, "0"), (29 * 10 ** 9, "29"), (100 * 10 ** 9, "100"), (19_990_000_000, "19.99"), (1, "0.000000001"),
    (10 ** 21, "1000000000000")])
def test_an_amount_is_written_plainly_without_trailing_zeros(nano, text):
    assert plain_amount(nano) == text


@pytest.mark.parametrize("status", STATUSES)
def test_a_call_without_output_and_cost_may_have_any_known_status(status):
    assert CALL._replace(status=status, output_tokens=0, total_tokens=100, cost_nano=0).faults() == []


def test_a_successful_call_has_output_and_cost_without_fault():
    assert CALL.faults() == []


def test_an_unknown_status_is_a_fault_that_names_the_known_ones():
    assert CALL._replace(status="ok").faults() == [
        "status: 'ok' is none of success, timeout, rate_limit, auth_error, server_error"]


@pytest.mark.parametrize("status", sorted(REFUSED))
@pytest.mark.parametrize("output, cost", [(1, 0), (0, 1), (1, 1)])
def test_a_refused_call_with_output_or_cost_is_a_fault(status, output, cost):
    call = CALL._replace(status=status, output_tokens=output, cost_nano=cost)
    assert call.faults() == [f"status: a call refused with {status} has output tokens or a cost"]


def test_a_call_that_timed_out_with_output_is_a_fault():
    assert CALL._replace(status="timeout").faults() == ["status: a call that timed out has output tokens"]


def test_a_call_that_timed_out_may_cost_its_input():
    assert CALL._replace(status="timeout", output_tokens=0, cost_nano=250_000).faults() == []


def test_an_imported_call_with_an_unknown_status_is_still_read():
    assert AICall.from_row(_row(status="cancelled")).status == "cancelled"


_COUNTS = st.integers(0, 499_999_999_999)
_MONEY = st.integers(0, 10 ** 21 - 1)
_WORDS = st.text(min_size=1, max_size=20).filter(str.strip)


@st.composite
def _calls(draw):
    values = {field: draw(_WORDS) for field in TEXTS}
    values.update(input_tokens=draw(_COUNTS), output_tokens=draw(_COUNTS),
                  latency_ms=draw(st.none() | _COUNTS),
                  cost_nano=draw(st.none() | _MONEY), tier_price_nano=draw(_MONEY),
                  timestamp_ms=draw(st.integers(0, CALLS_END_MS - 1)))
    return AICall(total_tokens=values["input_tokens"] + values["output_tokens"], **values)


@given(_calls())
@settings(deadline=None)
def test_every_call_survives_being_written_and_read(call):
    assert AICall.from_row(call.to_row()) == call
