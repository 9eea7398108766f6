#!/usr/bin/env python3
"""Meter one call: ask a model, say what it took and whose it was, and send that.

    python3 viewer/serve.py --metering                       # in one terminal: http://localhost:8000
    python3 showcase/instrumentation/revenium_basic.py       # in another

Without a viewer the example brings its own. With REVENIUM_METERING_API_KEY set the call goes to Revenium.
"""
from __future__ import annotations

import runpy
import sys
import uuid
from pathlib import Path
from typing import Any, Dict, Sequence

if __name__ == "__main__":  # a script finds only the modules beside it: begin again with the toolkit in reach
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "viewer" / "bootstrap.py"))["find_sources"](__file__)

from calls.values import format_timestamp
from console import run_command
from metadata.builder import Metadata, ReveniumMetadataBuilder
from support.assistant import Answer, Assistant
from support.practice import metered


def completion_of(answer: Answer, owner: Metadata, **more: Any) -> Dict[str, Any]:
    """Return what the metering wants to know of an answered call.

    The transaction id is made once: the same call that is sent again, after an error or a restart, is counted once.
    """
    ended = format_timestamp(answer.ended_ms)
    failure = {"errorCode": answer.error, "errorReason": "the provider failed"} if answer.error else {}
    return {
        "transactionId": f"showcase-{uuid.uuid4()}", "costType": "AI", "isStreamed": False,
        "provider": answer.provider, "model": answer.model,
        "inputTokenCount": answer.input_tokens, "outputTokenCount": answer.output_tokens,
        "totalTokenCount": answer.input_tokens + answer.output_tokens,
        "requestTime": format_timestamp(answer.started_ms), "completionStartTime": ended, "responseTime": ended,
        "requestDuration": answer.ended_ms - answer.started_ms,
        "stopReason": "ERROR" if answer.error else "END", **failure, **owner.wire(), **more}


def main(arguments: Sequence[str]) -> int:
    """Meter one call and print what it was taken as."""
    owner = (ReveniumMetadataBuilder().organization("Acme, Inc.").product("helpdesk").customer("cust_0042")
             .feature("chat").environment("production").build())
    with metered(arguments, __doc__) as where:
        answer = Assistant().ask("How do I get a new password?")
        taken = where.sender.send(completion_of(answer, owner))
    print(f"{where.endpoint.address} took {taken}: {answer.model}, {answer.input_tokens} tokens in, "
          f"{answer.output_tokens} out")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
