"""What all commands share: one line for an error, exit codes, and progress for terminals and for files."""
from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from conftest import ROOT
from console import Options, ProgressBar, run_command
from errors import CatalogError, LogBusyError, UsageError

CYAN, PLAIN, CLEAR = "\x1b[36m", "\x1b[0m", "\x1b[K"


def _raising(error):
    def command(arguments):
        raise error

    return command


def test_a_command_gets_its_arguments_and_gives_its_exit_code():
    seen = []

    def command(arguments):
        seen.append(arguments)
        return 3

    assert run_command(command, ["a", "--b"]) == 3
    assert seen == [["a", "--b"]]


def test_without_arguments_a_command_gets_those_of_the_process(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["prog", "x", "y"])
    assert run_command(len) == 2


@pytest.mark.parametrize("error, code", [(UsageError("SIZE 0: choose more"), 2), (CatalogError("a.json: broken"), 1),
                                         (LogBusyError("a.csv is being written"), 1)])
def test_an_error_is_one_line_on_standard_error_with_its_exit_code(capsys, error, code):
    assert run_command(_raising(error), []) == code
    assert capsys.readouterr() == ("", f"error: {error}\n")


def test_an_unexpected_error_is_one_line_that_says_how_to_see_more(capsys):
    assert run_command(_raising(ZeroDivisionError("division by zero")), []) == 1
    assert capsys.readouterr() == ("", "error: unexpected ZeroDivisionError: division by zero (run again with "
                                       "--verbose for the place)\n")


@pytest.mark.parametrize("error, last_line", [
    (UsageError("SIZE 0: choose more"), "error: SIZE 0: choose more"),
    (ZeroDivisionError("oh"), "error: unexpected ZeroDivisionError: oh (run again with --verbose for the place)")])
def test_verbose_shows_the_place_before_the_line(capsys, error, last_line):
    run_command(_raising(error), ["--verbose"])
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert any(line.endswith("in command") for line in lines)
    assert lines[-1] == last_line


def test_an_interrupt_is_told_in_a_word_and_exits_with_130(capsys):
    assert run_command(_raising(KeyboardInterrupt()), []) == 130 == 128 + signal.SIGINT
    assert capsys.readouterr() == ("", "stopped\n")


def test_asking_for_help_is_left_to_argparse(capsys):
    def command(arguments):
        Options(prog="prog").parse_args(arguments)

    with pytest.raises(SystemExit) as caught:
        run_command(command, ["--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("usage: prog ")


@pytest.mark.parametrize("arguments, message", [
    (["--colour"], "unrecognized arguments: --colour: see prog --help"),
    (["--days", "x"], "argument --days: invalid int value: 'x': see prog --help"),
    (["--days"], "argument --days: expected one argument: see prog --help")])
def test_a_wrong_option_is_a_usage_error_of_one_line(arguments, message):
    options = Options(prog="prog")
    options.add_argument("--days", type=int)
    with pytest.raises(UsageError) as caught:
        options.parse_args(arguments)
    assert str(caught.value) == message


def _child(source, **pipes):
    program = "import sys\nfrom console import run_command\n" + textwrap.dedent(source)
    return subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, universal_newlines=True,
                            env=dict(os.environ, PYTHONPATH=str(ROOT / "src")), **pipes)


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe is another error there")
@pytest.mark.parametrize("amount", [1, 1_000_000])
def test_a_reader_that_is_gone_is_met_in_silence(amount):
    source = f"""
        def command(arguments):
            sys.stdin.readline()
            print("x" * {amount})
            return 7
        sys.exit(run_command(command))
    """
    with _child(source, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.close()
        child.stdin.write("go\n")
        child.stdin.close()
        assert child.stderr.read() == ""
    assert child.returncode == 0


def test_the_exit_code_and_the_line_reach_the_shell():
    source = """
        from errors import UsageError
        def command(arguments):
            print("data")
            raise UsageError("choose another")
        sys.exit(run_command(command))
    """
    with _child(source, stdout=subprocess.PIPE) as child:
        assert child.communicate() == ("data\n", "error: choose another\n")
    assert child.returncode == 2


class _Clock:
    """A clock that stands until it is set."""

    now = 100.0

    def __call__(self):
        return self.now


class _Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Return a clock, in an environment that says nothing about terminals."""
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    return _Clock()


def _shown(stream, clock, *steps, **options):
    """Return a bar that was shown at seconds after its start, with a share of 100 done."""
    bar = ProgressBar(stream, clock=clock, **options)
    for seconds, done in steps:
        clock.now = 100.0 + seconds
        bar.show(done, 100, "text")
    return bar


def test_a_terminal_gets_a_bar_in_place_with_the_time_left(clock):
    stream = _Terminal()
    _shown(stream, clock, (30, 25))
    assert stream.getvalue() == f"\r[{CYAN}{'#' * 8}{'-' * 22}{PLAIN}]  25%  text  1:30 left{CLEAR}"


@pytest.mark.parametrize("done, filled, words", [
    (0, 0, "  0%  text  0:00 left"), (50, 15, " 50%  text  0:10 left"), (100, 30, "100%  text  0:00 left"),
    (250, 30, "100%  text  0:00 left")])
def test_a_bar_never_leaves_its_width(clock, monkeypatch, done, filled, words):
    monkeypatch.setenv("NO_COLOR", "1")
    stream = _Terminal()
    _shown(stream, clock, (10, done))
    assert stream.getvalue() == f"\r[{'#' * filled}{'-' * (30 - filled)}] {words}{CLEAR}"


def test_a_whole_of_nothing_is_no_share(clock):
    stream = io.StringIO()
    bar = ProgressBar(stream, clock=clock)
    clock.now += 11
    bar.show(5, 0, "text")
    assert stream.getvalue() == "0%  text  0:00 left\n"


@pytest.mark.parametrize("value, colored", [("1", False), ("0", False), ("", True)])
def test_no_color_is_honoured_when_it_is_not_empty(clock, monkeypatch, value, colored):
    monkeypatch.setenv("NO_COLOR", value)
    stream = _Terminal()
    _shown(stream, clock, (1, 50))
    assert (CYAN in stream.getvalue()) is colored


def test_a_terminal_is_drawn_at_most_ten_times_a_second(clock):
    stream = _Terminal()
    _shown(stream, clock, (0.05, 1), (0.125, 2), (0.2, 3), (0.25, 4))
    assert [part[-24:-len(CLEAR)].split()[0] for part in stream.getvalue().split("\r")[1:]] == ["2%", "4%"]


def test_clearing_takes_the_bar_off_once(clock):
    stream = _Terminal()
    bar = _shown(stream, clock, (1, 50))
    drawn = stream.getvalue()
    bar.clear()
    bar.clear()
    assert stream.getvalue() == drawn + "\r" + CLEAR


def test_clearing_a_bar_that_was_never_drawn_writes_nothing(clock):
    stream = _Terminal()
    _shown(stream, clock).clear()
    assert stream.getvalue() == ""


def test_a_plain_stream_gets_a_line_every_ten_seconds_without_controls(clock):
    stream = io.StringIO()
    bar = _shown(stream, clock, (9.9, 10), (10, 20), (15, 30), (20, 80))
    bar.clear()
    assert stream.getvalue() == "20%  text  0:40 left\n80%  text  0:05 left\n"


def test_a_dumb_terminal_is_treated_as_a_plain_stream(clock, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    stream = _Terminal()
    _shown(stream, clock, (1, 10), (10, 50))
    assert stream.getvalue() == "50%  text  0:10 left\n"


@pytest.mark.parametrize("stream", [_Terminal, io.StringIO])
def test_quiet_writes_nothing_anywhere(clock, stream):
    stream = stream()
    _shown(stream, clock, (1, 10), (100, 50), quiet=True).clear()
    assert stream.getvalue() == ""


def test_a_bar_knows_the_seconds_since_it_began(clock):
    bar = _shown(io.StringIO(), clock)
    clock.now += 2.5
    assert bar.seconds == 2.5


@pytest.mark.parametrize("seconds, left", [(59.4, "0:59"), (59.6, "1:00"), (3_600, "60:00")])
def test_the_time_left_is_in_minutes_and_seconds(clock, seconds, left):
    stream = io.StringIO()
    _shown(stream, clock, (seconds, 50))
    assert stream.getvalue() == f"50%  text  {left} left\n"


def test_a_command_goes_by_the_name_that_a_launcher_gives_it(monkeypatch):
    monkeypatch.setenv("FINOPS_CALLED", "finops.pyz simulate")
    options = Options(prog="run.py", epilog="examples:\n  run.py 5")
    assert "usage: finops.pyz simulate" in options.format_help() and "finops.pyz simulate 5" in options.format_help()
    with pytest.raises(UsageError, match="^unrecognized arguments: --x: see finops.pyz simulate --help$"):
        options.parse_args(["--x"])
