"""The image: rules that its Dockerfile keeps, what it says done by hand and checked, and built where an engine runs."""
from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import pytest

from conftest import ROOT, free_port
from viewer.viewers import ask

USER, TOKEN = "10001", "a-token-for-this-test-alone"
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
SYSTEM_PYTHON = Path("/usr/bin/python3")  # that any user may start
AS_USER = IS_ROOT and shutil.which("setpriv") is not None and SYSTEM_PYTHON.exists()


def instructions() -> List[Tuple[str, str]]:
    """Return the Dockerfile's instructions with their text, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(line.split(None, 1)[0], re.sub(r"\s+", " ", line.split(None, 1)[1])) for line in lines]


def of(name: str) -> List[str]:
    return [text for instruction, text in instructions() if instruction == name]


def environment() -> Dict[str, str]:
    return dict(pair.split("=", 1) for text in of("ENV") for pair in text.split())


def in_context(path: str) -> bool:
    """Tell whether a file goes into the image, by the rules of .dockerignore: the last that fits decides."""
    taken = True
    for rule in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if rule and not rule.startswith("#"):
            pattern = rule.lstrip("!")
            parts = path.split("/")
            heads = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
            if pattern.startswith("**/"):
                heads, pattern = parts, pattern[3:]
            if any(fnmatch.fnmatchcase(head, pattern) for head in heads):
                taken = rule.startswith("!")
    return taken


def test_the_base_is_a_slim_python_that_the_toolkit_supports() -> None:
    [base] = of("FROM")
    minor = re.fullmatch(r"python:3\.(\d+)-slim", base)
    assert minor and 7 <= int(minor.group(1)) <= 13


def test_it_runs_as_nobody_in_particular_from_a_folder_that_it_cannot_write() -> None:
    names = [instruction for instruction, _ in instructions()]
    assert of("USER") == [USER] and names.index("COPY") < names.index("USER") < names.index("ENTRYPOINT")
    assert of("COPY") == [". ."] and of("WORKDIR") == ["/app"] and of("VOLUME") == ["/data"]
    assert all(path.startswith("/data/") for name, path in environment().items() if name.endswith("_PATH"))


def test_nothing_is_fetched_and_no_secret_is_kept() -> None:
    assert not of("ADD") and not re.search(r"pip|apt-get|curl|wget", " ".join(of("RUN")))
    assert not [name for name in environment() if "TOKEN" in name]


def test_only_what_runs_goes_in() -> None:
    files = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("*") if path.is_file()]
    assert [path for path in files if in_context(path)] == ["LICENSE"]
    assert in_context("src/catalog/market.json") and in_context("viewer/static/index.html")
    assert not [path for path in (".git/config", "tests/conftest.py", "data/calls.csv", ".venv/bin/python", "reports/a",
                                  "src/__pycache__/config.pyc", "viewer/.env", "specs/generate.py") if in_context(path)]


def test_the_documents_publish_it_on_loopback_alone() -> None:
    told = (ROOT / "specs" / "12-running-for-a-team.md").read_text(encoding="utf-8")
    published = re.findall(r"(?:-p|--publish) (\S+)", told)
    [port] = of("EXPOSE")
    assert published and set(published) == {f"127.0.0.1:{port}:{port}"}


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """Return what would be the image's root: /app with the context, /data for the user."""
    root = Path(tempfile.mkdtemp(prefix="finops-image-"))  # not a folder of pytest's, which others may not enter
    root.chmod(0o755)
    try:
        for path in ROOT.rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith(("src/", "viewer/", "showcase/")) and path.is_file() and in_context(name):
                (root / "app" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(path), str(root / "app" / name))
        (root / "data").mkdir()
        if AS_USER:
            os.chown(str(root / "data"), int(USER), int(USER))
        yield root
    finally:
        shutil.rmtree(str(root))


class Container:
    """The image's entry point as a process of the image's user."""

    def __init__(self, image: Path, *arguments: str, token: str = TOKEN) -> None:
        self.image = image
        port = free_port()
        given = {name: text.replace("/data/", f"{image}/data/") for name, text in environment().items()}
        self.environment = {"PATH": os.environ["PATH"], **given, "FINOPS_VIEWER_PORT": str(port),
                            **({"FINOPS_VIEWER_TOKEN": token} if token else {})}
        [entry] = of("ENTRYPOINT")
        self.process = subprocess.Popen(self.words(entry) + list(arguments), cwd=str(image / "app"),
                                        env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        universal_newlines=True)

    def words(self, text: str) -> List[str]:
        """Return the words of an instruction in JSON, as its user would start them."""
        first, *others = json.loads(text)
        assert first == "python3"
        as_user = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", str(SYSTEM_PYTHON)]
        return (as_user if AS_USER else [sys.executable]) + others

    def is_healthy(self) -> bool:
        """Do what the health check does."""
        [check] = of("HEALTHCHECK")
        return subprocess.call(self.words(check.split("CMD", 1)[1]), env=self.environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL) == 0


def test_it_serves_simulates_and_is_healthy_until_it_ends(image) -> None:
    container = Container(image, "--simulate", "0.3")
    try:
        end = time.monotonic() + 60
        while not (container.is_healthy() and (image / "data" / "reports" / "html" / "index.html").exists()):
            assert container.process.poll() is None and time.monotonic() < end, container.process.stdout.read()
            time.sleep(0.2)
    finally:
        container.process.terminate()
        said, _ = container.process.communicate(timeout=20)
    assert container.process.returncode == 0, said
    assert not container.is_healthy()
    assert (image / "data" / "simulated_calls.csv").exists()


def test_without_a_token_it_does_not_start_and_says_why(image) -> None:
    said, _ = Container(image, token="").process.communicate(timeout=20)
    assert said.startswith("error: --host 0.0.0.0") and "--token" in said and said.count("\n") == 1


@pytest.fixture(scope="module")
def built() -> Iterator[str]:
    """Build the image as the documents say; yields its name."""
    if not shutil.which("docker") or subprocess.call(["docker", "info"], stdout=subprocess.DEVNULL,
                                                     stderr=subprocess.DEVNULL, timeout=60):
        pytest.skip("no engine runs here: the other tests do by hand what the Dockerfile says")
    name = f"finops-test-{os.getpid()}"
    docker("build", "-t", name, str(ROOT))
    yield name
    docker("rmi", "-f", name)


def docker(*arguments: str) -> str:
    """Run a command of the engine; returns what it says."""
    done = subprocess.run(["docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, timeout=600)
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def test_the_built_image_simulates_serves_is_healthy_and_ends(built: str) -> None:
    port = free_port()
    docker("run", "-d", "--name", built, "-p", f"127.0.0.1:{port}:{port}", "-e", f"FINOPS_VIEWER_PORT={port}",
           "-e", f"FINOPS_VIEWER_TOKEN={TOKEN}", built, "--simulate", "0.3")
    try:
        end = time.monotonic() + 60
        while not answers(port):
            assert time.monotonic() < end, docker("logs", built)
            time.sleep(0.2)
        while "index.html" not in docker("exec", built, "find", "/data/reports"):
            assert time.monotonic() < end, docker("logs", built)
        assert docker("exec", built, "id", "-u") == USER
        assert docker("exec", built, "sh", "-c", "touch /app/x 2>/dev/null || echo refused") == "refused"
        docker("stop", "-t", "20", built)
        assert docker("inspect", "--format", "{{.State.ExitCode}}", built) == "0"
    finally:
        docker("rm", "-f", "-v", built)


def answers(port: int) -> bool:
    """Tell whether it is healthy, and shows nothing without the token."""
    try:
        return (ask(port, "/health").status, ask(port, "/").status) == (200, 401)
    except OSError:
        return False
