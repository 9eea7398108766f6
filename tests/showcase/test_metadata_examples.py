"""Saying whose call it was: the builder, the validator, the tagger, and that endpoints understand all of it."""
from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from calls.values import NANO_PER_USD
from catalog.loader import load_catalog
from conftest import ROOT, run
from metadata.builder import Metadata, ReveniumMetadataBuilder
from metadata.tagger import TagError, current, tagged
from metadata.validator import NEEDED, OPTIONAL, InvalidMetadata, faults_of
from metering.completions import read_completion
from metering.fields import read_json
from metering.spans import Span, read_span
from metering_documents import completion

FULL = (ReveniumMetadataBuilder().organization("Acme, Inc.").product("helpdesk")
        .customer("cust_1", "ada@example.org", "power").feature("chat").tier("pro", "99.50")
        .environment("staging").region("eu-west-1"))
GOOD = {"customer_id": "cust_1", "organization_id": "Acme", "product_id": "helpdesk", "feature_id": "chat"}


def owner_of(call):
    return (call.customer_id, call.organization_id, call.product_id, call.feature_id, call.environment, call.region,
            call.subscription_tier, call.tier_price_nano, call.customer_archetype)


EXPECTED = ("cust_1", "Acme, Inc.", "helpdesk", "chat", "staging", "eu-west-1", "pro", 99_500_000_000, "power")


def test_what_is_built_reaches_the_same_fields_by_completions_and_by_spans():
    said = FULL.build()
    document = read_json(json.dumps(completion(1, **said.wire())).encode())
    assert owner_of(read_completion(document, load_catalog())) == EXPECTED
    span = Span("a" * 32, "b" * 16, 10 ** 18, 0, False, {
        "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 1,
        "gen_ai.usage.output_tokens": 1, **said.attributes()})
    assert owner_of(read_span(span, load_catalog())) == EXPECTED
    assert "ada@example.org" not in json.dumps(said.attributes())


def test_what_is_not_said_is_not_sent():
    said = ReveniumMetadataBuilder(Metadata(**GOOD)).build()
    assert set(said.wire()) == {"subscriber", "organizationName", "productName", "taskType"}
    assert said.wire()["subscriber"] == {"id": "cust_1"}


def test_a_common_beginning_can_be_shared():
    shared = ReveniumMetadataBuilder().organization("Acme").product("helpdesk").feature("chat")
    first, second = shared.customer("cust_1").build(), shared.customer("cust_2").build()
    assert (first.customer_id, second.customer_id) == ("cust_1", "cust_2")
    with pytest.raises(InvalidMetadata, match="customer_id is missing"):
        shared.build()


@pytest.mark.parametrize("changes, field, word", [
    *(({name: ""}, name, "is missing") for name in NEEDED), *(({name: "  "}, name, "is missing") for name in NEEDED),
    ({"customer_id": "ada@example.org"}, "customer_id", "e-mail"),
    ({"organization_id": "Unknown"}, "organization_id", "names nobody"),
    ({"product_id": "a\nb"}, "product_id", "control character"), ({"feature_id": "x" * 201}, "feature_id", "longer"),
    ({"environment": "PROD"}, "environment", "write production"), ({"email": "ada"}, "email", "no e-mail"),
    ({"subscription_tier": "pro", "tier_price_usd": "much"}, "tier_price_usd", "not a plain number"),
    ({"tier_price_usd": "99"}, "subscription_tier", "name the plan"), ({"tenant": "a"}, "tenant", "is no field")])
def test_every_fault_is_told_by_its_field(changes, field, word):
    faults = faults_of({**GOOD, **changes})
    assert list(faults) == [field] and word in faults[field]


def test_what_can_be_used_has_no_fault():
    assert faults_of(GOOD) == {}
    everything = {**GOOD, "environment": "Production", "region": "eu", "subscription_tier": "pro", "email": "a@b.org",
                  "tier_price_usd": "1e2", "customer_archetype": "heavy"}
    assert set(everything) == set(NEEDED + OPTIONAL) and faults_of(everything) == {}


def test_tags_are_set_from_the_top_down_and_end_with_their_block():
    with tagged(organization="Acme", product="helpdesk"):
        with tagged(customer="cust_1"), tagged(feature="chat"):
            assert current()[:4] == ("cust_1", "Acme", "helpdesk", "chat")
        with pytest.raises(InvalidMetadata, match="customer_id is missing"):
            current()
    with pytest.raises(InvalidMetadata, match="organization_id is missing"):
        current()


@pytest.mark.parametrize("tags, message", [
    ({"customer": "cust_2"}, "customer 'cust_2' cannot be set within customer 'cust_1'"),
    ({"product": "other"}, "product 'other' cannot be set within customer 'cust_1'"),
    ({"team": "a"}, "no level 'team'")])
def test_a_tag_that_does_not_fit_below_the_others_is_refused(tags, message):
    with tagged(customer="cust_1"), pytest.raises(TagError, match=message), tagged(**tags):
        pass


def test_tags_of_tasks_and_threads_do_not_mix():
    async def request(number: int) -> str:
        with tagged(organization="Acme", product="p", customer=f"cust_{number}", feature="f"):
            await asyncio.sleep(0.001 * (5 - number))
            return current().customer_id

    async def requests():
        return await asyncio.gather(*map(request, range(5)))

    with ThreadPoolExecutor(1) as pool:  # a browser of other tests may hold a loop in this thread
        found = pool.submit(lambda: asyncio.run(requests())).result()
    assert found == [f"cust_{number}" for number in range(5)]


def test_a_thread_begins_without_tags():
    faults = []

    def look() -> None:
        with pytest.raises(InvalidMetadata) as caught:
            current()
        faults.append(caught.value.fields)

    with tagged(organization="Acme"):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert "organization_id" in faults[0]


def test_the_builder_prints_what_endpoints_understand():
    ran = run(ROOT / "showcase" / "metadata" / "builder.py")
    wire, attributes = (json.loads(text) for text in ran.out.replace("a completion says:", "").split("a span says:"))
    assert (ran.code, ran.err) == (0, "")
    call = read_completion(read_json(json.dumps(completion(1, **wire)).encode()), load_catalog())
    assert owner_of(call) == ("cust_0042", "Acme, Inc.", "helpdesk", "summary", "production", "unattributed", "pro",
                              99 * NANO_PER_USD, "power")
    assert attributes["finops.customer_id"] == "cust_0042"


def test_the_validator_and_the_tagger_print_what_they_find():
    ran = run(ROOT / "showcase" / "metadata" / "validator.py")
    assert ran.code == 0 and "as it should be: 0 faults\ncareless: 3 faults\n" in ran.out
    ran = run(ROOT / "showcase" / "metadata" / "tagger.py")
    *tags, refused = ran.out.splitlines()
    assert tags == ["Acme, Inc. > helpdesk > " + rest for rest in (
        "cust_0042 > chat", "cust_0042 > summary", "cust_0043 > chat")]
    assert refused.startswith("refused: organization 'Other Ltd.' cannot be set within organization 'Acme, Inc.'")
