from __future__ import annotations

from pathlib import Path

from importing import claude_code, imported

COST = 10 * 3000 + 800 * 300 + 40 * 3750 + 20 * 6000 + 100 * 15000
PROMPT = 870


def test_the_last_of_the_lines_that_repeat_a_response_is_the_call(tmp_path: Path) -> None:
    found = imported(tmp_path, [
        {"type": "summary", "summary": "x"}, claude_code(output=1), claude_code(output=7), claude_code(),
        {"type": "user", "sessionId": "s", "message": {"role": "user", "content": "hi"}},
        claude_code(request="req_2", isSidechain=True), claude_code(message="msg_2", output=0)])
    assert [(one.call_id, one.input_tokens, one.output_tokens) for one in found.calls] == [
        ("msg_1:req_1", PROMPT, 100), ("msg_1:req_2", PROMPT, 100), ("msg_2:req_1", PROMPT, 0)]
    assert found.calls[0].cost_nano == COST and found.calls[0].provider == "anthropic"
    assert found.summary["skipped"] == {"lines without a model's response": 2,
                                        "lines that repeat a response which another line holds": 2}


def test_a_response_without_a_request_is_known_by_its_message_alone(tmp_path: Path) -> None:
    found = imported(tmp_path, [claude_code(request=None, output=3), claude_code(request=None)])
    assert [(one.call_id, one.output_tokens) for one in found.calls] == [("msg_1", 100)]


def test_resumed_sessions_repeat_responses_over_files(tmp_path: Path) -> None:
    found = imported(tmp_path, [claude_code(), claude_code(message="a")],
                     [claude_code(), claude_code(message="b")], [claude_code(), claude_code(message="a")])
    assert [one.call_id for one in found.calls] == ["msg_1:req_1", "a:req_1", "b:req_1"]


def test_errors_are_no_calls_and_recorded_costs_are_kept(tmp_path: Path) -> None:
    made_up = claude_code(message="x")
    made_up["message"]["model"] = "<synthetic>"
    found = imported(tmp_path, [claude_code(message="e", isApiErrorMessage=True), made_up, claude_code(costUSD=0.25)])
    assert [one.cost_nano for one in found.calls] == [250_000_000]
    assert found.summary["skipped"] == {"messages of Claude Code itself, about errors": 2}


def test_writes_without_a_split_are_short_ones_and_other_tiers_and_models_stay_unpriced(tmp_path: Path) -> None:
    lines = [claude_code(message=name) for name in "abcd"]
    del lines[0]["message"]["usage"]["cache_creation"]
    lines[1]["message"]["usage"]["service_tier"] = "priority"
    lines[2]["message"]["model"] = "glm-9"
    lines[3]["message"]["usage"]["server_tool_use"] = {"web_search_requests": 2}
    found = imported(tmp_path, lines)
    assert [one.cost_nano for one in found.calls] == [
        10 * 3000 + 800 * 300 + 60 * 3750 + 100 * 15000, None, None, COST]
    assert [one.provider for one in found.calls] == ["anthropic", "anthropic", "unattributed", "anthropic"]
    assert "service tier" in found.notes and "web searches" in found.notes


def test_a_line_cut_off_is_rejected_and_fields_of_the_session_can_be_customers(tmp_path: Path) -> None:
    import json
    text = json.dumps(claude_code()) + "\n" + json.dumps(claude_code(message="b"))[:50] + "\n" + json.dumps(
        claude_code(message="c")) + "\n"
    found = imported(tmp_path, text, options=["--customer-from", "cwd"])
    assert [(one.call_id, one.customer_id) for one in found.calls] == [
        ("msg_1:req_1", "/work/app"), ("c:req_1", "/work/app")]
    assert found.summary["rejected"] == {"row is not valid JSON": 1}
