"""The catalogue as it is shipped, and what happens to one whose files hold something unusable."""
from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from decimal import Decimal

import pytest

from catalog.loader import FOLDER, load_catalog
from catalog.prices import CLASSES
from errors import CatalogError

AS_OF = date(2026, 11, 20)
ANTHROPIC, WORKLOAD, MARKET = "providers/anthropic.json", "workload.json", "market.json"
HAIKU, SONNET = "anthropic.json: model 'claude-haiku-4-5': ", "anthropic.json: model 'claude-sonnet-4-5': "


@pytest.fixture(scope="module")
def catalog():
    return load_catalog()


@pytest.fixture
def folder(tmp_path):
    """Return a copy of the catalogue's data files."""
    copy = tmp_path / "catalog"
    shutil.copytree(str(FOLDER), str(copy), ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def _edit(path, change):
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def _refusal(folder):
    with pytest.raises(CatalogError) as caught:
        load_catalog(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_catalogue_is_of_the_day_of_its_sources(catalog):
    assert catalog.as_of == AS_OF


def test_seven_providers_share_the_market_largest_first(catalog):
    assert [(one.provider, one.market_share_percent) for one in catalog.providers] == [
        ("openai", 40), ("anthropic", 25), ("google", 15), ("bedrock", 10), ("azure", 7), ("mistral", 2), ("cohere", 1)]
    assert sum(one.market_share_percent for one in catalog.providers) == Decimal(100)


def test_at_least_35_models_are_current(catalog):
    current = [model for provider in catalog.providers for model in catalog.on_sale(provider, AS_OF, AS_OF)
               if model.price_on(AS_OF)]
    assert len(current) >= 35
    assert len(catalog.models) >= len(current)


def test_the_dearest_model_costs_at_least_200_times_the_cheapest(catalog):
    prices = [model.price_on(AS_OF) for model in catalog.models]
    for name in ("input", "output"):
        amounts = [getattr(price, name) for price in prices]
        assert max(amounts) >= 200 * min(amounts) > 0, name


@pytest.mark.parametrize("capability, least", [("premium", 10), ("standard", 10), ("budget", 10)])
def test_each_class_has_models_to_choose_from(catalog, capability, least):
    assert sum(model.capability == capability for model in catalog.models) >= least


def test_every_model_says_where_its_price_comes_from(catalog):
    assert [model.model for model in catalog.models if not model.sources or not all(model.sources)] == []


def test_every_model_belongs_to_the_provider_of_its_file_and_has_a_price(catalog):
    for provider in catalog.providers:
        for model in provider.models:
            assert model.provider == provider.provider
            assert catalog.price_on(model.provider, model.model, AS_OF) is model.price_on(AS_OF) is not None


@pytest.mark.parametrize("provider, model", [
    ("openai", "gpt-99"), ("openai", "gpt-99-2026-01-01"), ("openai", "gpt-4o-2024-05-13"), ("openai", ""),
    ("azure", "gpt-4o-2024-05-13"), ("openai", "gpt-4o-2024-13-01"), ("openai", "gpt-4o-2024-0806"),
    ("openai", "gpt-4o-2024-08-06-x"), ("openai", "gpt-4o-08-06"), ("openai", "-2024-08-06"),
    ("nobody", "gpt-4o"), ("openai", "claude-haiku-4-5"), ("openai", "GPT-4o"), ("", "gpt-4o")])
def test_an_unknown_model_is_unpriced_and_never_free(catalog, provider, model):
    assert catalog.find(provider, model) is None
    assert catalog.price_on(provider, model, AS_OF) is None


@pytest.mark.parametrize("provider, alias, model", [
    ("anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5"), ("openai", "gpt-4-turbo-preview", "gpt-4-turbo"),
    ("openai", "gpt-4-turbo-2024-04-09", "gpt-4-turbo"), ("azure", "azure/gpt-4o", "gpt-4o"),
    ("openai", "gpt-4o-2024-08-06", "gpt-4o"), ("openai", "gpt-4o-mini-20240718", "gpt-4o-mini"),
    ("azure", "gpt-4o-2024-11-20", "gpt-4o"), ("anthropic", "claude-sonnet-4-5-20991231", "claude-sonnet-4-5")])
def test_an_alias_or_a_dated_snapshot_stands_for_its_model(catalog, provider, alias, model):
    assert catalog.find(provider, alias) is catalog.find(provider, model)
    assert catalog.find(provider, alias).model == model


def test_one_name_may_stand_for_two_models_of_two_providers(catalog):
    assert catalog.find("openai", "gpt-4o").provider == "openai"
    assert catalog.find("azure", "gpt-4o").provider == "azure"


def _sold(catalog, provider, first, last):
    (found,) = [one for one in catalog.providers if one.provider == provider]
    return [model.model for model in catalog.on_sale(found, first, last)]


@pytest.mark.parametrize("model, first, last, sold", [
    ("gpt-5", date(2025, 8, 6), date(2025, 9, 1), False),
    ("gpt-5", date(2025, 8, 7), date(2025, 9, 1), True),
    ("gpt-5", date(2026, 12, 1), date(2026, 12, 10), True),
    ("gpt-5", date(2026, 12, 1), date(2026, 12, 11), False),
    ("gpt-6-sol", AS_OF - timedelta(1), AS_OF, False),
    ("gpt-6-sol", AS_OF, AS_OF, True),
    ("gpt-4", date(2023, 3, 14), date(2100, 1, 1), True)])
def test_a_model_is_on_sale_from_its_release_to_the_day_before_its_end(catalog, model, first, last, sold):
    assert (model in _sold(catalog, "openai", first, last)) is sold


def test_models_without_a_known_release_are_not_on_sale_before_the_catalogues_day(catalog):
    unknown = {(model.provider, model.model) for model in catalog.models if model.released is None}
    before, after = ({(model.provider, model.model) for one in catalog.providers
                      for model in catalog.on_sale(one, day, day)} for day in (AS_OF - timedelta(1), AS_OF))
    assert {("openai", "gpt-6-sol"), ("anthropic", "claude-haiku-5-5"), ("google", "gemini-3.5-flash")} <= unknown
    assert unknown & before == set()
    assert unknown & after == unknown


def _is_cheaper(catalog, other, model, day):
    rival, price = other.price_on(day), model.price_on(day)
    step = CLASSES.index(other.capability) - CLASSES.index(model.capability)
    return bool(step in (0, 1) and (other.released or AS_OF) <= day and (other.retired or date.max) > day
                and rival and rival.input < price.input and rival.output < price.output)


@pytest.mark.parametrize("day", [date(2025, 9, 1), date(2026, 3, 1), AS_OF])
def test_cheaper_models_are_of_the_same_or_next_class_on_sale_and_cheaper_in_both_prices(catalog, day):
    for model in catalog.models:
        expected = [one for one in catalog.models if _is_cheaper(catalog, one, model, day)]
        assert set(catalog.cheaper_models(model, day)) == set(expected), model.model


def test_cheaper_models_come_cheapest_first(catalog):
    found = catalog.cheaper_models(catalog.find("openai", "gpt-4o-mini"), date(2026, 3, 1))
    assert [(one.provider, one.model) for one in found] == [
        ("bedrock", "amazon.nova-micro-v1:0"), ("cohere", "command-r7b-12-2024"), ("bedrock", "amazon.nova-lite-v1:0"),
        ("mistral", "mistral-small-latest"), ("openai", "gpt-5-nano"), ("google", "gemini-2.5-flash-lite")]


def test_a_model_that_is_cheaper_in_one_price_only_is_no_cheaper_model(catalog):
    gpt_5, gpt_4o = catalog.find("openai", "gpt-5"), catalog.find("openai", "gpt-4o")
    assert gpt_4o.price_on(AS_OF).output == gpt_5.price_on(AS_OF).output
    assert gpt_5 not in catalog.cheaper_models(gpt_4o, AS_OF)
    assert gpt_4o not in catalog.cheaper_models(gpt_5, AS_OF)


def test_a_premium_model_is_not_replaced_by_a_budget_one(catalog):
    found = catalog.cheaper_models(catalog.find("openai", "gpt-4"), AS_OF)
    assert {model.capability for model in found} == {"premium", "standard"}


def test_a_model_without_a_price_that_day_has_no_cheaper_ones(folder):
    _edit(folder / ANTHROPIC, lambda one: one["models"][0]["prices"][0].update({"from": "2026-01-01"}))
    catalog = load_catalog(folder)
    haiku = catalog.find("anthropic", "claude-haiku-4-5")
    assert catalog.cheaper_models(haiku, date(2025, 12, 31)) == []
    assert catalog.cheaper_models(haiku, date(2026, 1, 1)) != []
    assert catalog.price_on("anthropic", "claude-haiku-4-5", date(2025, 12, 31)) is None


def test_the_market_is_the_documented_one(catalog):
    assert [tuple(one) for one in catalog.tiers] == [
        ("starter", "29", 50), ("pro", "99", 35), ("enterprise", "299", 15)]
    assert [(one.archetype, one.weight, one.calls_per_day) for one in catalog.archetypes] == [
        ("light", 70, (5, 20)), ("power", 20, (50, 150)), ("heavy", 10, (200, 500))]
    assert [(one.region, one.utc_offset_hours) for one in catalog.regions] == [
        ("us-east-1", -5), ("us-west-2", -8), ("eu-west-1", 1), ("ap-southeast-1", 8)]
    assert catalog.environments == (("production", 86), ("staging", 9), ("development", 5))
    assert sum(one.share for one in catalog.features) == 100


def test_the_parts_of_the_market_fit_together(catalog):
    assert set(catalog.speeds) == set(CLASSES)
    assert {name for one in catalog.archetypes for name in one.rhythms} <= set(catalog.rhythms)
    assert {one.lengths for one in catalog.features} <= set(catalog.lengths)
    assert {name for one in catalog.features for name in one.classes} == set(CLASSES)


def test_grids_ascend_over_all_probabilities_and_days_have_24_hours_of_mean_one(catalog):
    assert list(catalog.probabilities) == sorted(set(catalog.probabilities))
    for lengths in catalog.lengths.values():
        assert {len(lengths.input), len(lengths.output)} == {len(catalog.probabilities)}
    for rhythm in catalog.rhythms.values():
        assert len(rhythm.hourly) == 24
        assert sum(rhythm.hourly) == pytest.approx(24)


def test_the_catalogue_is_read_once():
    assert load_catalog() is load_catalog()


def test_a_copy_of_the_files_is_the_same_catalogue(folder, catalog):
    copy = load_catalog(folder)
    assert [(one.model, one.prices) for one in copy.models] == [(one.model, one.prices) for one in catalog.models]
    assert (copy.tiers, copy.features, copy.rhythms) == (catalog.tiers, catalog.features, catalog.rhythms)


def test_a_provider_file_dropped_in_is_found(folder):
    entry = {"model": "tiny-1", "class": "budget", "popularity": 1, "released": "2026-02-03", "retired": None,
             "aliases": ["tiny"], "prices": [{"from": None, "input": 0.000001, "output": 0.1}], "sources": ["here"]}
    (folder / "providers" / "tiny.json").write_text(json.dumps(
        {"provider": "tiny-ai", "title": "Tiny", "market_share_percent": 0.5, "models": [entry]}), encoding="utf-8")
    catalog = load_catalog(folder)
    assert (catalog.providers[-1].provider, catalog.providers[-1].market_share_percent) == ("tiny-ai", Decimal("0.5"))
    assert catalog.find("tiny-ai", "tiny").released == date(2026, 2, 3)
    assert catalog.price_on("tiny-ai", "tiny-1", AS_OF)[1:3] == (1, 100_000)


def _price(entry, **changes):
    entry["models"][0]["prices"][0].update(changes)


NO_NAME = "is no name: a text without commas, quotes and line ends is needed"
NO_TIER_PRICE = "is not a price in dollars as text, like \"29\" or \"29.50\""
NOT_A_PRICE = "is not a price in dollars per million tokens with at most 6 decimals"


@pytest.mark.parametrize("change, message", [
    (lambda one: one["models"][0]["prices"][0].pop("input"), HAIKU + "input is missing"),
    (lambda one: one["models"][0]["prices"][0].pop("from"), HAIKU + "from is missing"),
    (lambda one: _price(one, output=None), HAIKU + "output is missing"),
    (lambda one: _price(one, input=-1), HAIKU + "input -1 " + NOT_A_PRICE),
    (lambda one: _price(one, output=1.0000001), HAIKU + "output 1.0000001 " + NOT_A_PRICE),
    (lambda one: _price(one, input="cheap"), HAIKU + "input cheap " + NOT_A_PRICE),
    (lambda one: _price(one, input=float("nan")), HAIKU + "input nan " + NOT_A_PRICE),
    (lambda one: one["models"][0].update({"class": "huge"}), HAIKU + "'huge' is none of premium, standard, budget"),
    (lambda one: one["models"][0].pop("class"), HAIKU + "class is missing"),
    (lambda one: one["models"][0].pop("sources"), HAIKU + "sources is missing"),
    (lambda one: one["models"][0].pop("prices"), HAIKU + "prices is missing"),
    (lambda one: one["models"][0].pop("model"), "anthropic.json: model None: model is missing"),
    (lambda one: one["models"][1]["prices"].reverse(), SONNET + "prices must be a list with ascending 'from' dates"),
    (lambda one: one["models"][1].update(prices=[]), SONNET + "prices must be a list with ascending 'from' dates"),
    (lambda one: one["models"][1]["prices"][0]["long_context"].pop("above_input_tokens"),
     SONNET + "above_input_tokens is missing"),
    (lambda one: one["models"][0].update(aliases="haiku"), HAIKU + "aliases must be a list of texts, not 'haiku'"),
    (lambda one: one["models"][0].update(aliases=["haiku", 4]),
     HAIKU + "aliases must be a list of texts, not ['haiku', 4]"),
    (lambda one: one["models"][0].update(sources="here"), HAIKU + "sources must be a list of texts, not 'here'"),
    (lambda one: one["models"][0].update(model="a,b"), "anthropic.json: model 'a,b': 'a,b' " + NO_NAME),
    (lambda one: one.update(provider=""), "anthropic.json: '' " + NO_NAME),
    (lambda one: one["models"][1].update(released="soon"), SONNET + "Invalid isoformat string: 'soon'"),
    (lambda one: one["models"][1].update(aliases=["claude-haiku-4-5"]),
     "anthropic.json: the name 'claude-haiku-4-5' stands for both claude-haiku-4-5 and claude-sonnet-4-5"),
    (lambda one: one["models"][1].update(model="claude-haiku-4-5"),
     "anthropic.json: the name 'claude-haiku-4-5' stands for both claude-haiku-4-5 and claude-haiku-4-5"),
    (lambda one: one.update(market_share_percent=100.1),
     "anthropic.json: market_share_percent 100.1 is not between 0 and 100"),
    (lambda one: one.update(market_share_percent="most"), "anthropic.json: a value is no number"),
    (lambda one: one.pop("models"), "anthropic.json: models is missing"),
    (lambda one: one.update(provider="openai"), "openai.json: the provider 'openai' stands in anthropic.json too")])
def test_a_bad_provider_file_is_refused_with_file_entry_and_reason(folder, change, message):
    _edit(folder / ANTHROPIC, change)
    assert _refusal(folder) == message


def test_a_repeated_alias_is_refused_with_both_models(folder):
    for number in (2, 3):
        _edit(folder / ANTHROPIC, lambda one, number=number: one["models"][number].update(aliases=["sonnet"]))
    assert _refusal(folder) == (
        "anthropic.json: the name 'sonnet' stands for both claude-sonnet-4-6 and claude-sonnet-5")


@pytest.mark.parametrize("file, change, message", [
    (WORKLOAD, lambda one: one.pop("as_of"), "workload.json: as_of is missing"),
    (WORKLOAD, lambda one: one.update(as_of="x"), "workload.json: Invalid isoformat string: 'x'"),
    (WORKLOAD, lambda one: one.pop("probabilities"), "workload.json: probabilities is missing"),
    (WORKLOAD, lambda one: one["lengths"]["short"].pop("input"), "workload.json: lengths 'short': input is missing"),
    (WORKLOAD, lambda one: one["lengths"]["short"]["output"].reverse(),
     "workload.json: lengths 'short': 17 ascending values are needed"),
    (WORKLOAD, lambda one: one["lengths"]["short"]["input"].pop(),
     "workload.json: lengths 'short': 17 ascending values are needed"),
    (WORKLOAD, lambda one: one["rhythms"]["coder"].pop("weekend"), "workload.json: rhythm 'coder': weekend is missing"),
    (WORKLOAD, lambda one: one["rhythms"]["coder"]["hourly"].pop(),
     "workload.json: rhythm 'coder': 24 hourly weights of at least 0, not all 0, are needed"),
    (WORKLOAD, lambda one: one["rhythms"]["coder"].update(hourly=[0] * 24),
     "workload.json: rhythm 'coder': 24 hourly weights of at least 0, not all 0, are needed"),
    (MARKET, lambda one: one.pop("tiers"), "market.json: tiers is missing"),
    (MARKET, lambda one: one["tiers"][1].pop("price_usd"), "market.json: tiers entry 2: price_usd is missing"),
    (MARKET, lambda one: one["tiers"][1].update(price_usd="$99"),
     f"market.json: tiers entry 2: price_usd '$99' {NO_TIER_PRICE}"),
    (MARKET, lambda one: one["tiers"][1].update(price_usd="99,00"),
     f"market.json: tiers entry 2: price_usd '99,00' {NO_TIER_PRICE}"),
    (MARKET, lambda one: one["tiers"][1].update(price_usd="-1"),
     f"market.json: tiers entry 2: price_usd '-1' {NO_TIER_PRICE}"),
    (MARKET, lambda one: one["tiers"][1].update(price_usd="1e3"),
     f"market.json: tiers entry 2: price_usd '1e3' {NO_TIER_PRICE}"),
    (MARKET, lambda one: one["tiers"][1].update(price_usd=99),
     f"market.json: tiers entry 2: price_usd 99 {NO_TIER_PRICE}"),
    (MARKET, lambda one: one["tiers"][0].update(tier="a\nb"), f"market.json: tiers entry 1: 'a\\nb' {NO_NAME}"),
    (MARKET, lambda one: one["environments"][0].update(environment='"p"'),
     f"market.json: environments entry 1: '\"p\"' {NO_NAME}"),
    (MARKET, lambda one: one["archetypes"][1].update(rhythms={"nocturnal": 1}),
     "market.json: archetypes entry 2: 'nocturnal' is none of office, always_on, evening, coder"),
    (MARKET, lambda one: one["archetypes"][1].update(rhythms=["office"]),
     "market.json: archetypes entry 2: 'list' object has no attribute 'items'"),
    (MARKET, lambda one: one["classes"].pop(1), "market.json: classes has no entry for standard"),
    (MARKET, lambda one: one["classes"][0].update({"class": "huge"}),
     "market.json: classes entry 1: 'huge' is none of premium, standard, budget"),
    (MARKET, lambda one: one["regions"][0].update(weight="x"),
     "market.json: regions entry 1: invalid literal for int() with base 10: 'x'"),
    (MARKET, lambda one: one["features"][2].update(lengths="endless"),
     "market.json: features entry 3: 'endless' is none of conversation, mixed, short, reasoning, coding"),
    (MARKET, lambda one: one["features"][0].update(classes={"huge": 1}),
     "market.json: features entry 1: 'huge' is none of premium, standard, budget")])
def test_a_bad_market_or_workload_is_refused_with_file_entry_and_reason(folder, file, change, message):
    _edit(folder / file, change)
    assert _refusal(folder) == message


@pytest.mark.parametrize("file", [ANTHROPIC, WORKLOAD, MARKET])
@pytest.mark.parametrize("content, message", [
    (b'{"provider": ', "not valid JSON: "), (b"", "not valid JSON: "), (b"[1, 2]", "holds no JSON object"),
    (b'{"title": "\xff"}', "not valid JSON: ")])
def test_a_file_that_is_no_json_object_is_refused_by_name(folder, file, content, message):
    (folder / file).write_bytes(content)
    assert _refusal(folder).startswith(f"{file.rpartition('/')[2]}: {message}")


@pytest.mark.parametrize("file", [WORKLOAD, MARKET])
def test_a_missing_file_is_refused_with_its_path(folder, file):
    (folder / file).unlink()
    assert _refusal(folder) == f"cannot read {folder / file}: No such file or directory"
