"""Completions: what of them becomes which field, what is refused and why, and what they cost."""
from __future__ import annotations

import json
from datetime import date

import pytest

from calls.record import FIELDS, AICall
from calls.values import format_nano, parse_nano, parse_timestamp
from catalog.loader import load_catalog
from catalog.usage import Usage, cost_nano
from metering.completions import READS_WITHIN_INPUT, STOP_REASONS, read_completion
from metering.fields import InvalidCall, read_json
from metering.reported import own_id, provider_name
from metering_documents import completion

CATALOG = load_catalog()
DAY = date(2026, 11, 20)


def read(number=1, **changes):
    return read_completion(read_json(json.dumps(completion(number, **changes)).encode()), CATALOG)


def faults(**changes):
    with pytest.raises(InvalidCall) as found:
        read(**changes)
    return found.value.fields


def test_every_field_that_is_sent_has_its_place():
    call = read(7, subscriber={"id": "u-1", "email": "a@b.c"}, organizationName="Acme, Inc.", productName="chat",
                taskType="summary", environment="staging", region="eu-west-1", subscriptionTier="pro",
                tierPriceUsd="29.50", customerArchetype="heavy")
    assert call == AICall("tx-7", parse_timestamp("2026-11-20T10:00:00.250Z"), "u-1", "Acme, Inc.", "chat", "summary",
                          "openai", "gpt-4o-mini", 1000, 200, 1200, 150_000 + 120_000, 900, "success", "staging",
                          "eu-west-1", "pro", 29_500_000_000, "heavy")
    assert AICall.from_row(call.to_row()) == call


def test_what_nobody_says_is_unattributed_and_the_environment_production():
    call = read()
    named = {field: getattr(call, field) for field in FIELDS if isinstance(getattr(call, field, None), str)}
    assert {field for field, text in named.items() if text == "unattributed"} == {
        "customer_id", "organization_id", "product_id", "feature_id", "region", "subscription_tier",
        "customer_archetype"}
    assert call.environment == "production" and call.tier_price_nano == 0


@pytest.mark.parametrize("changes, customer", [
    ({"subscriber": {"email": "a@b.c"}}, "a@b.c"), ({"subscriber": {"credential": {"name": "key-1"}}}, "key-1"),
    ({"subscriber": {"id": " ", "email": "a@b.c"}}, "a@b.c"), ({"subscriber": {}}, "unattributed")])
def test_a_customer_is_known_by_id_by_mail_or_by_key(changes, customer):
    assert read(**changes).customer_id == customer


def test_older_and_newer_names_of_one_thing_are_both_read():
    assert read(organizationId="A", productId="B", traceType="C")[3:6] == ("A", "B", "C")
    assert read(organizationId="A", organizationName="Z", traceType="C", taskType="D")[3:6] == (
        "Z", "unattributed", "D")


@pytest.mark.parametrize("reason, code, status", [
    ("END", None, "success"), ("TOKEN_LIMIT", None, "success"), ("TIMEOUT", None, "timeout"),
    ("CANCELLED", None, "timeout"), ("ERROR", None, "server_error"), ("ERROR", 429, "rate_limit"),
    ("ERROR", 401, "auth_error"), ("ERROR", 403, "auth_error"), ("ERROR", 504, "timeout"),
    ("ERROR", 500, "server_error")])
def test_the_status_is_told_from_stop_reason_and_code(reason, code, status):
    assert read(stopReason=reason, errorCode=code).status == status


def test_a_refused_call_costs_nothing_unless_its_client_says_so():
    assert read(stopReason="ERROR", outputTokenCount=0).cost_nano == 0
    assert read(stopReason="ERROR", outputTokenCount=0, totalCost=0.5).cost_nano == 500_000_000
    assert read(stopReason="TIMEOUT", outputTokenCount=0).cost_nano == 150_000


# What it costs

def test_a_price_is_that_of_the_calls_own_day():
    then, now = (read(requestTime=f"{day}T12:00:00Z", provider="openai", model="o3").cost_nano
                 for day in ("2025-05-01", "2026-05-01"))
    assert (then, now) == (1000 * 10_000 + 200 * 40_000, 1000 * 2_000 + 200 * 8_000)


def test_a_snapshot_that_a_provider_answered_with_has_the_price_of_its_model():
    call = read(model="gpt-4o-mini-2024-07-18")
    assert (call.model, call.cost_nano) == ("gpt-4o-mini-2024-07-18", 270_000)
    assert read(model="gpt-4o-2024-05-13").cost_nano is None  # which had another price than those after it


def test_an_unknown_model_is_kept_and_its_cost_is_unknown():
    call = read(model="brand-new-1")
    assert (call.model, call.cost_nano, call.to_row()[11]) == ("brand-new-1", None, "")


@pytest.mark.parametrize("sent, stored", [
    ("0.000000001", "0.000000001"), ("0.1", "0.100000000"), ("1E-7", "0.000000100"), ("0", "0.000000000"),
    ("123456.789012345", "123456.789012345"), ("0.30000000000000004", "0.300000000"), ("7", "7.000000000")])
def test_a_cost_that_the_client_gives_is_kept_to_the_nano_dollar(sent, stored):
    text = json.dumps(completion(model="brand-new-1", totalCost="HERE")).replace('"HERE"', sent)
    assert format_nano(read_completion(read_json(text.encode()), CATALOG).cost_nano) == stored


def test_parts_that_the_client_gives_replace_the_catalogues():
    assert read(inputTokenCost=0.5).cost_nano == 500_000_000 + 120_000
    assert read(model="brand-new-1", inputTokenCost=0.5).cost_nano is None
    assert read(model="brand-new-1", inputTokenCost=0.5, outputTokenCost=0.25).cost_nano == 750_000_000
    assert read(inputTokenCost=0.5, totalCost=0.1).cost_nano == 100_000_000


def test_skipped_multiplied_and_batched_calls():
    assert read(billingSkipped=True, totalCost=3).cost_nano == 0
    assert read(costMultiplier=1.5).cost_nano == 405_000
    assert read(costMultiplier=2, totalCost=1).cost_nano == 1_000_000_000  # a cost that is given is final
    assert read(pricingTier="BATCH").cost_nano == 135_000
    assert read(pricingTier="BATCH", model="gpt-4").cost_nano is None


@pytest.mark.parametrize("provider, model, fresh, prompt", [
    ("OPENAI", "gpt-6-sol", 600, 1050), ("Google", "gemini-2.5-pro", 600, 1050), ("Azure", "gpt-4o", 600, 1050),
    ("ANTHROPIC", "claude-sonnet-4-5", 1000, 1450), ("AWS", "anthropic.claude-sonnet-4-5-20250929-v1:0", 1000, 1450)])
def test_cached_tokens_are_counted_once_whichever_way_a_provider_reports_them(provider, model, fresh, prompt):
    call = read(provider=provider, model=model, cacheReadTokenCount=400, cacheCreationTokenCount=50,
                cacheCreation1hTokenCount=20)
    price = CATALOG.price_on(call.provider, model, DAY)
    assert call.input_tokens == prompt and call.total_tokens == prompt + 200
    assert call.cost_nano == cost_nano(price, Usage(fresh, 200, 400, 30, 20))


def test_more_reads_than_input_cannot_be_within_it():
    assert read(cacheReadTokenCount=1001).input_tokens == 2001
    assert read(cacheReadTokenCount=1000).input_tokens == 1000


def test_names_of_providers_are_the_catalogues():
    assert {provider_name(one) for one in ("OpenAI", "OPENAI ", "openai")} == {"openai"}
    assert [provider_name(one) for one in ("AWS", "Gemini", "MISTRAL", "az.ai.openai", "OLLAMA")] == [
        "bedrock", "google", "mistral", "azure", "ollama"]
    known = {one.provider for one in CATALOG.providers}
    assert known == {provider_name(one) for one in known}
    assert len(READS_WITHIN_INPUT & known) == 3


# What is refused

REQUIRED = ["transactionId", "provider", "model", "inputTokenCount", "outputTokenCount", "totalTokenCount",
            "requestTime", "responseTime", "completionStartTime", "requestDuration", "stopReason"]


@pytest.mark.parametrize("field", REQUIRED)
def test_a_required_field_that_is_missing_is_named(field):
    assert faults(**{field: None}) == {field: "is missing"}


def test_all_faults_are_told_at_once():
    assert set(faults(model="", inputTokenCount=-1, stopReason="WHY", subscriber={"id": 5})) == {
        "model", "inputTokenCount", "stopReason", "subscriber.id"}


@pytest.mark.parametrize("changes, field, reason", [
    ({"inputTokenCount": -1}, "inputTokenCount", "'-1' is negative"),
    ({"inputTokenCount": 1.5}, "inputTokenCount", "'1.5' is not a whole number"),
    ({"inputTokenCount": "12"}, "inputTokenCount", "is no number"),
    ({"inputTokenCount": True}, "inputTokenCount", "is no number"),
    ({"inputTokenCount": 10 ** 12}, "inputTokenCount", "is too large"),
    ({"model": 5}, "model", "is no text"),
    ({"model": "a\nb"}, "model", "holds a control character"),
    ({"model": "a\u2028b"}, "model", "holds a control character"),
    ({"model": "a\ud800"}, "model", "holds a control character"),
    ({"model": "x" * 201}, "model", "is longer than 200 characters"),
    ({"transactionId": " "}, "transactionId", "is missing"),
    ({"requestTime": "yesterday"}, "requestTime", "is not an ISO 8601 time"),
    ({"requestTime": 5}, "requestTime", "is no text with a time"),
    ({"requestTime": "1969-12-31T23:00:00Z"}, "requestTime", "is before 1970"),
    ({"requestTime": "9999-12-31T23:00:00Z"}, "requestTime", "is after 2099"),
    ({"stopReason": "WHY"}, "stopReason", "is none of END, END_SEQUENCE"),
    ({"totalCost": -0.1}, "totalCost", "is negative"),
    ({"totalCost": "many"}, "totalCost", "is not a plain number"),
    ({"costMultiplier": 1001}, "costMultiplier", "is not between 0 and 1000"),
    ({"costType": "SMS"}, "costType", "is none of AI"),
    ({"isStreamed": "no"}, "isStreamed", "is neither true nor false"),
    ({"subscriber": "me"}, "subscriber", "is no object"),
    ({"subscriber": {"credential": 1}}, "subscriber.credential", "is no object")])
def test_a_fault_is_named_with_its_field(changes, field, reason):
    found = faults(**changes)
    assert list(found) == [field] and reason in found[field]


@pytest.mark.parametrize("changes, field", [
    ({"inputTokenCount": 10 ** 12 - 1}, "total_tokens"), ({"cacheReadTokenCount": 10 ** 12 - 1}, "input_tokens"),
    ({"inputTokenCost": "999999999999", "outputTokenCost": 1}, "cost_usd")])
def test_what_adds_up_to_a_row_that_no_reader_takes_is_refused(changes, field):
    assert "too large" in faults(**changes)[field]


@pytest.mark.parametrize("document", [None, [], "text", 5])
def test_only_an_object_is_a_completion(document):
    with pytest.raises(InvalidCall) as found:
        read_completion(document, CATALOG)
    assert found.value.fields == {"body": "is not a JSON object"}


def test_fields_without_use_are_passed_over():
    assert read(systemPrompt={"any": "thing"}, temperature="hot", agent=None) == read()


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": NaN}', b'{"a": Infinity}', b"[" * 100_000,
                                  b'{"a": ' + b"9" * 61 + b"}", b'{"a": 0.' + b"9" * 61 + b"}"])
def test_what_is_no_json_is_refused(body):
    with pytest.raises(ValueError, match="body is not JSON"):
        read_json(body)


def test_numbers_are_read_exactly():
    assert parse_nano(str(read_json(b'{"a": 0.123456789}')["a"])) == 123_456_789


def test_an_id_that_looks_simulated_is_kept_apart_and_no_two_become_one():
    ids = ["a", "sim-a", "metered-sim-a", "metered-a", "metered-metered-sim-a"]
    own = [own_id(one) for one in ids]
    assert len(set(own)) == len(ids) and not any(one.startswith("sim-") for one in own)
    assert own[0] == "a" and read(transactionId="sim-9").call_id == "metered-sim-9"


def test_every_stop_reason_of_the_sdk_is_known():
    assert len(STOP_REASONS) == 8
