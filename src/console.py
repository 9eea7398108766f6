"""What all commands share: options with one-line errors, progress on a terminal, exit codes.

Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage,
128 + the signal's number when a signal ended the command.
"""
from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
import time
import traceback
from typing import Any, Callable, NoReturn, Optional, Sequence, TextIO

import stopping
from errors import FinOpsError, UsageError, cure_of, explain_os_error

BAR_WIDTH = 30
LINE_SECONDS = 10.0  # between two progress lines where no terminal is
REDRAW_SECONDS = 0.1
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
CALLED = "FINOPS_CALLED"  # the environment variable with the name that a launcher runs a command under
LIMITS = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)


class Options(argparse.ArgumentParser):
    """An argument parser whose mistakes are `UsageError`s: one line, that says what to do.

    A launcher that runs a command under another name than its file's gives that name in the environment.
    """

    def __init__(self, *, prog: str, epilog: str = "", **given: Any) -> None:
        """Take what `ArgumentParser` takes; examples in the epilog begin with `prog`."""
        called = os.environ.get(CALLED) or prog
        super().__init__(prog=called, epilog=epilog.replace(prog, called) or None, **given)

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print over several lines."""
        raise UsageError(f"{message}: see {self.prog} --help")


def run_command(command: Callable[[Sequence[str]], int], arguments: Optional[Sequence[str]] = None) -> int:
    """Run a command and return its exit code; a `FinOpsError` becomes one line on standard error."""
    open_missing_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    verbose = "--verbose" in arguments
    try:
        with stopping.orderly():
            code = command(arguments)
            sys.stdout.flush()
        return code
    except FinOpsError as error:
        if verbose:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(stopping.WORD, file=sys.stderr)
        return 128 + signal.SIGINT
    except stopping.Stopped as stop:
        print(stopping.WORD, file=sys.stderr)
        return int(stop.code or 1)
    except BrokenPipeError:
        # The reader of our output is gone (`| head`); say nothing, and keep Python from saying it at exit.
        _let_go_of_output()
        return 0
    except Exception as error:  # noqa: BLE001 (the last catcher of a command; --verbose shows where)
        if verbose:
            traceback.print_exc()
        print(f"error: {_described(error)}", file=sys.stderr)
        return 1


def _described(error: Exception) -> str:
    """Return what to say of an error that nobody foresaw where it came from."""
    if isinstance(error, MemoryError):
        error = OSError(errno.ENOMEM, "")
    if isinstance(error, OSError) and error.errno in LIMITS:
        return f"cannot go on: {cure_of(error)}"
    if isinstance(error, OSError) and error.errno in DISK_ERRORS and error.filename is None:
        # Files of ours are written by those who know their names: what is left is our output.
        _let_go_of_output()
        return explain_os_error("write", "the output", error)
    return f"unexpected {type(error).__name__}: {error} (run again with --verbose for the place)"


def open_missing_streams() -> None:
    """Give a command that was started with closed streams (`>&-`) others that lead nowhere.

    Otherwise the next file that is opened, perhaps the log, takes the number of a stream, and gets its words.
    """
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        os.set_inheritable(descriptor, True)
        descriptor = os.dup(descriptor)
    os.close(descriptor)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (held as long as the command runs)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _let_go_of_output() -> None:
    """Keep Python from trying again at exit to write what could not be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def note(text: str) -> None:
    """Tell something beside the command's own output."""
    print(f"note: {text}", file=sys.stderr)


class ProgressBar:
    """Shows how far a long task is: a bar on a terminal, a line now and then elsewhere, nothing when quiet."""

    def __init__(self, stream: TextIO, quiet: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin at the current time; `clock` returns seconds."""
        self._stream = stream
        self._quiet = quiet
        self._clock = clock
        self._start = self._shown = clock()
        self._terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._color = self._terminal and not os.environ.get("NO_COLOR")
        self._drawn = False

    def show(self, done: float, whole: float, text: str) -> None:
        """Show a share done, a text beside it, and the time left at the pace so far."""
        now = self._clock()
        if self._quiet or now - self._shown < (REDRAW_SECONDS if self._terminal else LINE_SECONDS):
            return
        self._shown = now
        share = min(1.0, done / whole) if whole else 0.0
        left = (now - self._start) * (1 - share) / share if share else 0.0
        line = f"{share:4.0%}  {text}  {_duration(left)} left"
        if not self._terminal:
            self._stream.write(line.strip() + "\n")
        else:
            filled = round(share * BAR_WIDTH)
            bar = "#" * filled + "-" * (BAR_WIDTH - filled)
            bar = f"\x1b[36m{bar}\x1b[0m" if self._color else bar
            self._stream.write(f"\r[{bar}] {line}\x1b[K")
            self._drawn = True
        self._stream.flush()

    def clear(self) -> None:
        """Take the bar off the terminal, so that the next words stand alone."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False

    @property
    def seconds(self) -> float:
        """Return the seconds since the bar began."""
        return self._clock() - self._start


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
