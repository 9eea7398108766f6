"""What `finops.pyz` does when it is started: puts the toolkit beside the user's other caches, and runs a command of it.

The commands start processes of their own and read data files by path, so the archive is unpacked, once for each
content, into a folder that only its owner may write. Logs and reports are those of the current folder.
"""
from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import List

COMMANDS = {"simulate": "src/run_all_simulators.py", "analyze": "src/run_all_analyzers.py",
            "serve": "viewer/serve.py", "import": "src/import_calls.py", "export": "src/export_calls.py",
            "aws": "src/run_aws_costs.py", "chartjs": "viewer/get_chartjs.py"}
HELP = """usage: {name} COMMAND [OPTIONS]

  simulate   write a simulated call log into data/
  analyze    write reports about a log into reports/
  serve      watch a log, and serve its reports at http://localhost:8000
  import     turn other tools' logs into a call log
  export     write a log for other tools
{aws}  chartjs    get Chart.js, for interactive charts without a network

{name} COMMAND --help says more. data/ and reports/ are folders of the current one.
"""
AWS = "  aws        reports about costs of AWS\n"


def main(arguments: List[str]) -> int:
    """Run a command; returns its exit code, or does not return where the system can replace this process."""
    archive = Path(sys.argv[0])
    with zipfile.ZipFile(str(archive)) as packed:
        there = {name: path for name, path in COMMANDS.items() if path in packed.namelist()}
        if not arguments or arguments[0] in ("-h", "--help"):
            print(HELP.format(name=archive.name, aws=AWS if "aws" in there else ""), end="")
            return 0 if arguments else 2
        if arguments[0] not in there:
            print(f"error: {arguments[0]!r} is no command; there are: {', '.join(there)}", file=sys.stderr)
            return 2
        try:
            folder = unpacked(packed, cache_folder() / digest(archive))
        except OSError as error:
            print(f"error: cannot unpack into {cache_folder()} ({(error.strerror or str(error)).lower()}): "
                  "set XDG_CACHE_HOME to a folder that may be written", file=sys.stderr)
            return 1
    os.environ["FINOPS_CALLED"] = f"{archive.name} {arguments[0]}"
    os.environ.setdefault("FINOPS_CSV_PATH", str(Path.cwd() / "data" / "simulated_calls.csv"))
    os.environ.setdefault("FINOPS_REPORTS_PATH", str(Path.cwd() / "reports"))
    command = [sys.executable, str(folder / there[arguments[0]]), *arguments[1:]]
    sys.stdout.flush()
    if os.name != "nt":  # there it would leave the shell behind
        os.execv(sys.executable, command)
    return subprocess.call(command)


def cache_folder() -> Path:
    """Return where unpacked toolkits are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or str(Path.home() / ".cache")
    return Path(home) / "finops"


def digest(archive: Path) -> str:
    """Return what changes with the archive's content."""
    return hashlib.sha256(archive.read_bytes()).hexdigest()[:16]


def unpacked(packed: zipfile.ZipFile, folder: Path) -> Path:
    """Return the folder with the whole content; what stands there and is not whole is replaced. Raises OSError."""
    if is_whole(packed, folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=folder.name + ".", dir=str(folder.parent)))
    (beside / "whole").mkdir(mode=0o700)  # others shall not put code there
    try:
        packed.extractall(str(beside / "whole"))
        if folder.exists() and not is_whole(packed, folder):
            os.rename(str(folder), str(beside / "damaged"))
        os.rename(str(beside / "whole"), str(folder))
    except OSError:
        if not is_whole(packed, folder):  # else another process came first, with the same content
            raise
    finally:
        shutil.rmtree(str(beside), ignore_errors=True)
    return folder


def is_whole(packed: zipfile.ZipFile, folder: Path) -> bool:
    """Tell whether every file of the archive stands in a folder in its size."""
    try:
        return all((folder / one.filename).stat().st_size == one.file_size
                   for one in packed.infolist() if not one.filename.endswith("/"))
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
