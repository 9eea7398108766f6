from __future__ import annotations

from pathlib import Path

import pytest
from importing import as_csv, helicone, imported, json_lines


@pytest.mark.parametrize("write", [as_csv, json_lines])
def test_a_request_becomes_a_call_whose_cost_is_in_billionths(tmp_path: Path, write) -> None:
    found = imported(tmp_path, write([helicone()]))
    call = found.calls[0]
    assert (call.call_id, call.customer_id, call.organization_id, call.provider) == (
        "9d0e-1", "acme", "org-1", "openai")
    assert (call.input_tokens, call.output_tokens, call.latency_ms, call.cost_nano) == (1000, 100, 1250, 2_500_000)
    assert "billionths" in found.notes


def test_a_cost_with_a_point_is_in_dollars_and_reprice_takes_cached_tokens_at_their_price(tmp_path: Path) -> None:
    assert imported(tmp_path, [helicone(cost=0.0025)]).calls[0].cost_nano == 2_500_000
    found = imported(tmp_path, [helicone()], options=["--reprice", "--overwrite"])
    assert found.calls[0].cost_nano == 200 * 2500 + 800 * 1250 + 100 * 10000


def test_an_answer_of_helicone_s_own_cache_cost_nothing(tmp_path: Path) -> None:
    found = imported(tmp_path, [helicone(cached=True), helicone(request_id="b", cached=1)], options=["--reprice"])
    assert [one.cost_nano for one in found.calls] == [0, 0]


def test_statuses_are_the_codes_of_http_and_helicone_s_own(tmp_path: Path) -> None:
    codes = {200: "success", 429: "rate_limit", 403: "auth_error", 500: "server_error", 504: "timeout",
             404: "client_error", -3: "failed"}
    found = imported(tmp_path, [helicone(request_id=str(code), status=code, completion_tokens=0, cost=0)
                                for code in codes])
    assert [one.status for one in found.calls] == list(codes.values())
    assert found.calls[0].cost_nano == 200 * 2500 + 800 * 1250
    assert {one.cost_nano for one in found.calls[1:]} == {0}


def test_reasoning_is_output_and_properties_give_business_fields(tmp_path: Path) -> None:
    found = imported(tmp_path, [helicone(reasoning_tokens=50)], options=["--feature-from", "properties.Feature"])
    assert found.calls[0].output_tokens == 150 and found.calls[0].feature_id == "chat"


def test_a_request_without_a_status_or_with_negative_counts_is_rejected(tmp_path: Path) -> None:
    found = imported(tmp_path, [helicone(status=None), helicone(prompt_tokens=-1), helicone()])
    assert found.summary["rejected"] == {"status is empty": 1, "prompt_tokens is negative": 1}
