"""Where an example sends to: the address that it is given, else the viewer, else a viewer that it brings along."""
from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
from pathlib import Path
from typing import Iterator, Mapping, NamedTuple, Optional, Sequence

from app.metering import MeteringOptions
from app.viewer import Options, Viewer
from config import load_settings
from console import Options as Parser, note
from support.sender import ADDRESS_NAME, KEY_NAME, LOCAL, REVENIUM, Endpoint, Sender, connect, is_listening


class Metered(NamedTuple):
    """What an example works with: a sender, where it sends to, and whether packages are to be left alone."""

    sender: Sender
    endpoint: Endpoint
    plain: bool


@contextlib.contextmanager
def metered(arguments: Sequence[str], about: Optional[str]) -> Iterator[Metered]:
    """Read the options that all examples of metering share, and give them what they send with."""
    given = _options(arguments, about)
    with endpoint_of(given.endpoint, os.environ) as endpoint, connect(endpoint, given.plain) as sender:
        yield Metered(sender, endpoint, given.plain)


@contextlib.contextmanager
def endpoint_of(given: str, environment: Mapping[str, str]) -> Iterator[Endpoint]:
    """Give the address of an option, of the environment, or of the viewer; a viewer of its own where none listens."""
    key = environment.get(KEY_NAME, "")
    address = given or environment.get(ADDRESS_NAME, "") or (REVENIUM if key else "")
    local = Endpoint(f"http://127.0.0.1:{load_settings().viewer_port}/meter", key)
    if address or is_listening(local):
        yield local._replace(address=address or local.address)
        return
    note(f"no viewer listens at {local.address}, so this example brings its own and throws its log away")
    with viewer_of_its_own() as own:
        yield own


@contextlib.contextmanager
def viewer_of_its_own() -> Iterator[Endpoint]:
    """Run a viewer that meters into a log which is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls.csv"
        viewer = Viewer(Options(log, Path(folder) / "reports", "127.0.0.1", 0, watch=False, metering=MeteringOptions()),
                        load_settings(), io.StringIO())
        viewer.start()
        try:
            yield Endpoint(viewer.address + "meter")
        finally:
            viewer.stop()


def _options(arguments: Sequence[str], about: Optional[str]) -> argparse.Namespace:
    options = Parser(prog=Path(sys.argv[0]).name, description=about,
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--endpoint", default="", metavar="URL",
                         help=f"where to send to (default: ${ADDRESS_NAME}; Revenium's where ${KEY_NAME} is set; "
                              f"else {LOCAL})")
    options.add_argument("--plain", action="store_true",
                         help="send with the standard library, though the official SDK is installed")
    options.add_argument("--verbose", action="store_true", help="show where an error came from")
    return options.parse_args(arguments)
