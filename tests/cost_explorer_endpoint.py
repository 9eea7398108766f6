#!/usr/bin/env python3
"""A stand-in for AWS Cost Explorer: for tests, and for trying things without an account.

  python3 tests/cost_explorer_endpoint.py --port 8765              the simulated company, until stopped
  aws ce get-cost-and-usage --endpoint-url http://127.0.0.1:8765 --time-period Start=2026-10-01,End=2026-11-01 \
      --granularity MONTHLY --metrics UnblendedCost

boto3 and the AWS CLI accept it. Development only: it checks no signature, and listens on the loopback alone.
"""
from __future__ import annotations

import argparse
import json
import sys
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from cost_explorer import CostExplorer, Refused

_IDENTITY = ('<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
             "<Arn>arn:aws:iam::{0}:user/nobody</Arn><UserId>AIDANOBODY</UserId><Account>{0}</Account>"
             "</GetCallerIdentityResult></GetCallerIdentityResponse>")
_DENIED = ("<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>only Cost Explorer is here"
           "</Message></Error></ErrorResponse>")


class Endpoint(ThreadingHTTPServer):
    """Cost Explorer on a port of the loopback, and who asks; all else of AWS is denied."""

    daemon_threads = True

    def __init__(self, explorer: CostExplorer, port: int = 0, account: str = "000000000000") -> None:
        self.explorer, self.account = explorer, account
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> "Endpoint":
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *what: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        service, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        if service == "AWSInsightsIndexService":
            try:
                asked = json.loads(body)
            except ValueError:
                return self._send(400, json.dumps(Refused("SerializationException", "no JSON").body()))
            status, answer = self.server.explorer.answer(operation, asked)
            return self._send(status, json.dumps(answer))
        if "Action=GetCallerIdentity" in body:
            return self._send(200, _IDENTITY.format(self.server.account), "text/xml")
        return self._deny(bool(service))

    def do_GET(self) -> None:
        self._deny(False)

    def log_message(self, *what: object) -> None:
        """Keep quiet."""

    def _deny(self, json_wanted: bool) -> None:
        if json_wanted:
            return self._send(400, json.dumps(Refused("AccessDeniedException", "only Cost Explorer is here").body()))
        return self._send(403, _DENIED, "text/xml")

    def _send(self, status: int, text: str, kind: str = "application/x-amz-json-1.1") -> None:
        data = text.encode("utf-8")
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(data))), ("x-amzn-RequestId", "1")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def main() -> int:
    """Serve the simulated company until stopped."""
    from aws.sources.base import SourceOptions
    from aws.sources.simulated import SimulatedSource
    parser = argparse.ArgumentParser(description="Serve a simulated company's costs as AWS Cost Explorer would.")
    parser.add_argument("--port", type=int, default=8765, help="port of the loopback; 0 lets the system choose")
    parser.add_argument("--seed", type=int, default=42, help="of the company")
    parser.add_argument("--today", default=datetime.now(timezone.utc).date().isoformat(), help="YYYY-MM-DD, in UTC")
    options = parser.parse_args()
    today = datetime.strptime(options.today, "%Y-%m-%d").date()
    ledger = SimulatedSource(SourceOptions(today, seed=options.seed)).ledger
    endpoint = Endpoint(CostExplorer(ledger, today), options.port)
    print(f"Cost Explorer stands in at {endpoint.url}; stop it with Ctrl+C", flush=True)
    try:
        endpoint.serve_forever()
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
