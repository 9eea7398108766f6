"""Every command and every program of the documents for users is run as it stands, in a copy of the toolkit.

What cannot be run here is named in `INSTEAD`, with the reason and what is run in its place; nothing else is left out.
"""
from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional
from urllib.request import urlopen

import pytest

from conftest import ROOT
from documents import SECONDS, Block, blocks, commands, obey, reader_environment, scratch_copy

DOCUMENTS = ("README.md", "QUICKSTART.md", "FAQ.md", "CONTRIBUTING.md", "specs/12-running-for-a-team.md")
RUN = ("bash", "python")
SHOWN = ("", "text", "nginx", "caddyfile", "ini", "json")  # to be read; configurations have tests of their own
SERVES = re.compile(r"viewer/serve\.py|finops\.pyz serve")
# For a machine that has no curl; only its first argument counts.
CURL = "python3 -c 'import sys, urllib.request; urllib.request.urlopen(\"http://\" + sys.argv[1]).read()' "


class Instead(NamedTuple):
    """What is run in a command's place (None: nothing), and why."""

    command: Optional[str]
    reason: str


INSTEAD: Dict[str, Instead] = {
    "python3 tests/run.py": Instead("python3 tests/run.py -q tests/test_config.py", "would run this test again"),
    "python3 tests/test_workflow.py": Instead(None, "is one of the tests itself"),
    "python3 specs/generate.py": Instead(None, "is run by tests/documents/test_specs.py"),
    "python3 tests/browser/screenshots.py": Instead(
        "python3 -m py_compile tests/browser/screenshots.py", "wants Chromium, and a quarter of a minute"),
    "python3 src/run_aws_costs.py --source live --from 2026-01-01 --to 2026-01-31 --output aws": Instead(
        "python3 src/run_aws_costs.py --help", "wants credentials and a network; tests/aws asks a server of its own"),
}
TESTS = "would run the tests, and this one among them"
INSTEAD.update({command: Instead(None, TESTS) for command in (
    "FINOPS_ACCEPT_GOLDEN=1 python3 tests/run.py tests/generators/test_golden.py",
    "python3 tests/run.py tests/rollup -x", "python3 tests/run.py --all-pythons", ".ci/run")})
DOCKER = "tests/bundle/test_container.py builds and runs the image, where an engine runs"
INSTEAD.update({command: Instead(None, DOCKER) for command in (
    "docker build -t finops .",
    "docker run -d --name finops -p 127.0.0.1:8000:8000 -v finops:/data -e FINOPS_VIEWER_TOKEN finops --simulate",
    "docker run -d --name finops -p 127.0.0.1:8000:8000 -v finops:/data -e FINOPS_VIEWER_TOKEN "
    "-e FINOPS_METERING_TOKEN finops --metering")})
SETTINGS = {"FINOPS_TARGET_MB": "0.4", "FINOPS_VIEWER_PORT": "0", "FINOPS_LOCK_WAIT_SECONDS": "60", "BROWSER": "true"}
LITELLM = ("request_id,call_type,spend,total_tokens,prompt_tokens,completion_tokens,startTime,endTime,model,"
           "custom_llm_provider,end_user,team_id,status\n"
           "r-1,acompletion,0.0002,1000,800,200,2026-01-05T09:00:00Z,2026-01-05T09:00:01Z,gpt-4o,openai,cus-1,search,"
           "success\n")
CLAUDE = json.dumps({
    "type": "assistant", "timestamp": "2026-01-05T09:00:00Z", "requestId": "req-1", "sessionId": "s",
    "message": {"id": "msg-1", "model": "claude-sonnet-4-5", "role": "assistant",
                "usage": {"input_tokens": 100, "output_tokens": 20}}}) + "\n"


class Server:
    """A viewer that a document starts, until its block ends."""

    def __init__(self, command: str, copy: Path, environment: Dict[str, str]) -> None:
        self.errors = copy / "server.log"
        with open(self.errors, "w") as errors:
            self.process = subprocess.Popen(["bash", "-c", "exec " + command], cwd=str(copy), env=environment,
                                            stdout=subprocess.PIPE, stderr=errors, universal_newlines=True)
        said = re.match(r"serving http://([^/]+)/", self.process.stdout.readline())
        assert said, f"{command}\n{self.errors.read_text()}"
        self.address = said.group(1)
        end = time.monotonic() + SECONDS
        while "--simulate" in command and not self.is_fresh():
            assert time.monotonic() < end, f"{command}: no reports\n{self.errors.read_text()}"
            time.sleep(0.1)

    def is_fresh(self) -> bool:
        """Tell whether all calls are there, and all reports of them."""
        with urlopen(f"http://{self.address}/api/status", timeout=20) as answer:
            status = json.load(answer)
        return status["jobs"][0]["state"] == "complete" and all(
            one["exists"] and not one["stale"] for one in status["reports"])

    def end(self) -> None:
        """End it as Ctrl-C does; it must say nothing but goodbye."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        assert code == 0 and "Traceback" not in self.errors.read_text(), self.errors.read_text()


class Reader:
    """Somebody who follows a document from its first block to its last, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.copy = scratch_copy(folder / "toolkit")
        (self.copy / "spend_logs.csv").write_text(LITELLM)
        sessions = folder / "home" / ".claude" / "projects" / "one"
        sessions.mkdir(parents=True)
        (sessions / "session.jsonl").write_text(CLAUDE)
        self.environment = reader_environment(HOME=str(folder / "home"), **SETTINGS)
        self.servers: List[Server] = []

    def follow(self, block: Block, place: str) -> None:
        """Run a block; servers that it starts live until its end."""
        try:
            if block.language == "python":
                (self.copy / "example.py").write_text(block.text)
                obey("PYTHONPATH=src python3 example.py", self.copy, self.environment, place)
            else:
                for command in commands(block):
                    self.do(command, place)
        finally:
            for server in self.servers:
                server.end()
            self.servers = []

    def do(self, command: str, place: str) -> None:
        """Run a command, or what stands for it."""
        run: Optional[str] = command
        if command in INSTEAD:
            run = INSTEAD[command].command
        if run is None:
            return
        if SERVES.search(run):
            self.servers.append(Server(run, self.copy, self.environment))
        else:
            run = run.replace("localhost:8000", self.servers[0].address) if self.servers else run
            if not shutil.which("curl"):
                run = re.sub(r"^curl ", CURL, run)
            address = self.servers[0].address if self.servers else "127.0.0.1:9"  # where nobody listens
            obey(run, self.copy, {**self.environment, "REVENIUM_METERING_BASE_URL": f"http://{address}/meter"}, place)


@pytest.mark.skipif(not shutil.which("bash"), reason="the documents' commands are for a POSIX shell")
@pytest.mark.parametrize("name", [name for name in DOCUMENTS if (ROOT / name).exists()])
def test_every_command_of_a_document_works_as_written(name: str, tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    for block in blocks(ROOT / name):
        place = f"{name}:{block.line}"
        assert block.language in RUN + SHOWN, f"{place}: nobody knows how to run a block of {block.language}"
        if block.language in RUN:
            reader.follow(block, place)


def test_nothing_is_replaced_that_no_document_has() -> None:
    told = {command for name in DOCUMENTS if (ROOT / name).exists() for block in blocks(ROOT / name)
            if block.language == "bash" for command in commands(block)}
    assert set(INSTEAD) <= told and all(one.reason for one in INSTEAD.values())


def test_a_command_that_fails_is_found(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    with pytest.raises(AssertionError, match=r"here: python3 src/run_analyzer.py frobnicate\s+error: "):
        reader.follow(Block("bash", "python3 src/run_analyzer.py frobnicate  # no such\n", "", 1), "here")
