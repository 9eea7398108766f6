"""Samples of other tools' logs, made by hand after their documented fields, and a way to import one."""
from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

from calls.record import AICall
from conftest import ROOT, read_calls, run

IMPORT = ROOT / "src" / "import_calls.py"


class Import(NamedTuple):
    """How an import ended: the command's summary, and the calls in the log."""

    summary: Dict[str, Any]
    calls: List[AICall]

    @property
    def notes(self) -> str:
        return "\n".join(self.summary["notes"])


def imported(folder: Path, *files: Any, options: Sequence[object] = ()) -> Import:
    """Write files (text, or records for JSON lines), import them together, and return what became of them."""
    paths = []
    for number, content in enumerate(files):
        text = content if isinstance(content, str) else json_lines(content)
        paths.append(folder / f"source{number}")
        paths[-1].write_bytes(text.encode("utf-8"))
    output = folder / "calls.csv"
    ran = run(IMPORT, *paths, "--output", output, "--json", "--quiet", *options)
    assert ran.code == 0, ran.err
    return Import(json.loads(ran.out), read_calls(output))


def json_lines(records: Sequence[Dict[str, Any]]) -> str:
    return "".join(json.dumps(one) + "\n" for one in records)


def as_csv(records: Sequence[Dict[str, Any]]) -> str:
    """Write records as the CSV of a database: objects as JSON in a cell, nothing for null."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]))
    writer.writeheader()
    for one in records:
        writer.writerow({name: json.dumps(value) if isinstance(value, (dict, list)) else value
                         for name, value in one.items()})
    return text.getvalue()


def litellm(**changes: Any) -> Dict[str, Any]:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
             "prompt_tokens_details": {"cached_tokens": 800}}
    return {"request_id": "chatcmpl-1", "call_type": "acompletion", "spend": 0.00325, "total_tokens": 1100,
            "prompt_tokens": 1000, "completion_tokens": 100, "startTime": "2026-03-01 10:00:00.250000+00",
            "endTime": "2026-03-01 10:00:01.5+00", "request_duration_ms": None, "model": "gpt-4o",
            "custom_llm_provider": "openai", "end_user": "acme", "team_id": "search", "organization_id": "org-1",
            "status": "success", "cache_hit": "False", "request_tags": ["a"],
            "metadata": {"usage_object": usage, "user_api_key_alias": "key-7"}, **changes}


def langfuse(**changes: Any) -> Dict[str, Any]:
    return {"id": "obs-1", "trace_id": "t", "project_id": "shop", "environment": "staging", "type": "GENERATION",
            "start_time": "2026-03-01T10:00:00.250Z", "end_time": "2026-03-01T10:00:01.5Z", "name": "answer",
            "level": "DEFAULT", "provided_model_name": "claude-sonnet-4-6", "total_cost": None, "latency": 1.25,
            "usage_details": {"input": 200, "output": 100, "input_cached_tokens": 800, "total": 1100},
            "cost_details": {}, "user_id": "acme", "trace_name": "chat", "tags": [], **changes}


def helicone(**changes: Any) -> Dict[str, Any]:
    return {"request_id": "9d0e-1", "request_created_at": "2026-03-01 10:00:00.250",
            "response_created_at": "2026-03-01 10:00:01.500", "model": "gpt-4o", "provider": "OPENAI", "status": 200,
            "latency": 1250, "cost": 2500000, "prompt_tokens": 200, "completion_tokens": 100,
            "prompt_cache_read_tokens": 800, "prompt_cache_write_tokens": 0, "user_id": "acme",
            "organization_id": "org-1", "properties": {"Feature": "chat"}, "cached": False, **changes}


def openai_result(**changes: Any) -> Dict[str, Any]:
    return {"object": "organization.usage.completions.result", "input_tokens": 1000, "output_tokens": 100,
            "input_cached_tokens": 800, "input_audio_tokens": 0, "output_audio_tokens": 0, "num_model_requests": 5,
            "project_id": "proj_a", "user_id": "user_b", "api_key_id": None, "model": "gpt-4o", "batch": False,
            **changes}


def openai_page(*results: Dict[str, Any], start: int = 1772323200) -> Dict[str, Any]:
    return {"object": "page", "data": [{"object": "bucket", "start_time": start, "end_time": start + 86400,
                                        "results": list(results)}], "has_more": False, "next_page": None}


def anthropic_result(**changes: Any) -> Dict[str, Any]:
    return {"uncached_input_tokens": 1000, "cache_read_input_tokens": 800, "output_tokens": 100,
            "cache_creation": {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 20},
            "server_tool_use": {"web_search_requests": 0}, "model": "claude-sonnet-4-6", "service_tier": "standard",
            "context_window": "0-200k", "workspace_id": "wrkspc_1", "api_key_id": None, **changes}


def anthropic_page(*results: Dict[str, Any]) -> Dict[str, Any]:
    return {"data": [{"starting_at": "2026-03-01T00:00:00Z", "ending_at": "2026-03-02T00:00:00Z",
                      "results": list(results)}], "has_more": False, "next_page": None}


def claude_code(output: int = 100, message: str = "msg_1", request: Any = "req_1", **changes: Any) -> Dict[str, Any]:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 800, "cache_creation_input_tokens": 60,
             "output_tokens": output, "service_tier": "standard",
             "cache_creation": {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 20}}
    line = {"type": "assistant", "parentUuid": None, "uuid": "u", "sessionId": "s", "isSidechain": False,
            "timestamp": "2026-03-01T10:00:00.250Z", "cwd": "/work/app", "requestId": request,
            "message": {"id": message, "model": "claude-sonnet-4-6", "role": "assistant", "usage": usage}, **changes}
    return {name: value for name, value in line.items() if value is not None or name == "parentUuid"}


BURSTGPT = ("Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
            "5.5,1,2.25,ChatGPT,472,18,490,Conversation log\n86400,2,0.5,GPT-4,30,0,30,API log\n")
