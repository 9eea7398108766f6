"""The log writer: what the log holds after every way to begin, go on, fail and be killed."""
from __future__ import annotations

import errno
import os

import pytest

from calls import log_writer
from calls.log_writer import LogAppender, LogWriter, is_replaceable, whole_lines_size
from calls.record import HEADER
from errors import LogError

HEAD = HEADER.encode() + b"\n"
SIM, SIM_2, REAL = b"sim-1,a,b\n", b"sim-2,a,b\n", b"prod-9,a,b\n"
WRONG_HEADER = ("cannot append to {}: its first line is not the header of the 19 fields in their order: choose another "
                "file, or convert it with import_calls.py")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "calls.csv"


def _partial(path):
    return path.with_name(path.name + ".partial")


def _opening_fails(path, **options):
    with pytest.raises(LogError) as caught, LogWriter(path, **options):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_new_log_gets_its_folders_and_its_header(tmp_path):
    path = tmp_path / "a" / "b" / "calls.csv"
    with LogWriter(path) as writer:
        assert writer.size == len(HEAD)
    assert path.read_bytes() == HEAD


def test_an_empty_file_gets_a_header(path):
    path.write_bytes(b"")
    with LogWriter(path):
        pass
    assert path.read_bytes() == HEAD


def test_rows_are_appended_and_the_size_is_returned(path):
    with LogWriter(path) as writer:
        assert writer.write(SIM) == len(HEAD) + len(SIM)
        assert writer.write(SIM_2 + REAL) == writer.size == len(HEAD + SIM + SIM_2 + REAL)
    assert path.read_bytes() == HEAD + SIM + SIM_2 + REAL


def test_a_log_opened_again_has_one_header_and_goes_on_behind_its_rows(path):
    for row in (SIM, SIM_2):
        with LogWriter(path) as writer:
            writer.write(row)
    assert path.read_bytes() == HEAD + SIM + SIM_2


def test_a_fresh_log_forgets_its_rows(path):
    path.write_bytes(HEAD + SIM + b"sim-2,ha")
    with LogWriter(path, fresh=True) as writer:
        writer.write(SIM_2)
        assert writer.set_aside == 0
    assert path.read_bytes() == HEAD + SIM_2
    assert not _partial(path).exists()


def test_a_fresh_log_replaces_a_file_of_any_kind(path):
    path.write_bytes(b"my,notes\n1,2\n")
    with LogWriter(path, fresh=True):
        pass
    assert path.read_bytes() == HEAD


def test_a_header_as_a_spreadsheet_saves_it_is_the_header(path):
    content = b"\xef\xbb\xbf" + HEADER.encode() + b"\r\n"
    path.write_bytes(content)
    with LogWriter(path) as writer:
        writer.write(SIM)
    assert path.read_bytes() == content + SIM


def test_half_a_simulated_line_is_cut_off(path):
    path.write_bytes(HEAD + SIM + b"sim-2,a")
    with LogWriter(path) as writer:
        assert (writer.size, writer.set_aside) == (len(HEAD + SIM), 7)
        writer.write(SIM_2)
    assert path.read_bytes() == HEAD + SIM + SIM_2
    assert not _partial(path).exists()


def test_half_a_foreign_line_is_kept_beside_the_log(path):
    path.write_bytes(HEAD + SIM + b"prod-9,ha")
    with LogWriter(path) as writer:
        assert (writer.size, writer.set_aside) == (len(HEAD + SIM), 9)
    assert path.read_bytes() == HEAD + SIM
    assert _partial(path).read_bytes() == b"prod-9,ha\n"


def test_half_lines_of_several_accidents_are_all_kept(path):
    for half in (b"prod-1,ha", b"prod-2"):
        with open(path, "ab") as handle:
            handle.write(HEAD * (half == b"prod-1,ha") + half)
        with LogWriter(path):
            pass
    assert _partial(path).read_bytes() == b"prod-1,ha\nprod-2\n"
    assert path.read_bytes() == HEAD


@pytest.mark.parametrize("length", [65_530, 65_536, 70_000, 200_000])
def test_half_a_line_longer_than_one_look_is_set_aside_whole(path, length):
    path.write_bytes(HEAD + SIM + b"x" * length)
    with LogWriter(path) as writer:
        assert writer.set_aside == length
    assert path.read_bytes() == HEAD + SIM
    assert _partial(path).read_bytes() == b"x" * length + b"\n"


@pytest.mark.parametrize("length", [1, 100, len(HEADER)])
def test_a_header_that_was_cut_off_is_written_anew(path, length):
    path.write_bytes(HEAD[:length])
    with LogWriter(path) as writer:
        writer.write(SIM)
    assert path.read_bytes() == HEAD + SIM


@pytest.mark.parametrize("content", [
    b"my,notes\n1,2\n", b"my,notes\n1,2", b"my,notes\nsim-1", b"one word", b"\n", HEAD[1:] + SIM,
    HEAD.replace(b"call_id,timestamp", b"timestamp,call_id"), HEAD[:-1] + b",more\n", HEAD.upper(), b"x" * 70_000,
    b"\xff\xfe\x00\x01\n"])
def test_a_file_with_another_first_line_is_refused_and_left_as_it_is(path, content):
    path.write_bytes(content)
    assert _opening_fails(path) == WRONG_HEADER.format(path)
    assert path.read_bytes() == content
    assert not _partial(path).exists()


def test_a_refused_file_is_let_go(path):
    path.write_bytes(b"my,notes\n")
    _opening_fails(path)
    with LogWriter(path, fresh=True):
        pass
    assert path.read_bytes() == HEAD


def test_a_folder_is_refused_with_one_clear_line(tmp_path):
    assert _opening_fails(tmp_path) == f"cannot open {tmp_path}: it is a folder: name a file"


def test_a_path_through_a_file_is_refused_with_one_clear_line(path):
    path.write_bytes(b"")
    below = path / "calls.csv"
    assert _opening_fails(below) == f"cannot open {below}: a file is where a folder is needed: check the path"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("use", [lambda path: LogWriter(path).__enter__(), whole_lines_size, is_replaceable])
def test_a_pipe_is_refused_with_one_clear_line_and_not_waited_for(path, use):
    os.mkfifo(path)
    other_end = os.open(path, os.O_RDWR)  # so that who opens the pipe nevertheless fails instead of waiting
    with pytest.raises(LogError) as caught:
        use(path)
    os.close(other_end)
    assert str(caught.value) == f"cannot write {path}: it is no ordinary file: name another"


def test_nothing_is_touched_before_the_context_is_entered(path):
    LogWriter(path)
    assert not path.exists()


@pytest.mark.parametrize("kind", [LogAppender, LogWriter])
def test_writing_without_having_opened_is_refused(path, kind):
    with pytest.raises(LogError) as caught:
        kind(path).write(SIM)
    assert str(caught.value) == f"{path} is not open for writing"


def test_writing_after_the_end_is_refused_and_closing_twice_is_harmless(path):
    with LogWriter(path) as writer:
        pass
    writer.close()
    with pytest.raises(LogError, match="is not open for writing$"):
        writer.write(SIM)
    assert path.read_bytes() == HEAD


def test_an_appender_needs_a_log_that_is_there(path):
    with pytest.raises(LogError) as caught, LogAppender(path):
        pass
    assert str(caught.value) == f"cannot open {path}: no such file or folder: check the path"
    assert not path.exists()


def test_an_appender_writes_while_its_process_holds_the_log(path):
    with LogWriter(path), LogAppender(path) as appender:
        assert appender.size == len(HEAD)
        assert appender.write(SIM) == len(HEAD + SIM)
    assert path.read_bytes() == HEAD + SIM


def test_an_appender_told_a_size_writes_there(path):
    path.write_bytes(HEAD + SIM + REAL)
    with LogAppender(path) as appender:
        appender.size = len(HEAD + SIM)
        appender.write(SIM_2)
    assert path.read_bytes().startswith(HEAD + SIM + SIM_2)


def test_what_the_log_holds_can_be_read_back(path):
    with LogWriter(path) as writer:
        writer.write(SIM + SIM_2)
        assert writer.read(len(HEAD), len(SIM)) == SIM
        assert writer.read(len(HEAD + SIM), 1000) == SIM_2
        writer.write(REAL)
        writer.sync()
    assert path.read_bytes() == HEAD + SIM + SIM_2 + REAL


def test_a_read_that_gives_only_a_part_is_continued_to_the_end(path, monkeypatch):
    real = os.read
    with LogWriter(path) as writer:
        writer.write(SIM + SIM_2)
        monkeypatch.setattr(log_writer.os, "read", lambda descriptor, size: real(descriptor, min(size, 3)))
        assert writer.read(len(HEAD), len(SIM)) == SIM
        assert writer.read(len(HEAD), 1000) == SIM + SIM_2


@pytest.mark.skipif(os.name != "posix", reason="files have no modes here")
def test_a_new_log_is_as_readable_as_the_user_lets_files_be(tmp_path):
    for mask, mode in ((0o022, 0o644), (0o077, 0o600)):
        before = os.umask(mask)
        try:
            with LogWriter(tmp_path / f"{mask}.csv"):
                pass
        finally:
            os.umask(before)
        assert (tmp_path / f"{mask}.csv").stat().st_mode & 0o777 == mode


def test_a_write_that_takes_only_a_part_is_continued(path, monkeypatch):
    real = os.write
    with LogWriter(path) as writer:
        monkeypatch.setattr(log_writer.os, "write", lambda descriptor, data: real(descriptor, data[:3]))
        assert writer.write(SIM + SIM_2) == len(HEAD + SIM + SIM_2)
    monkeypatch.undo()
    assert path.read_bytes() == HEAD + SIM + SIM_2


def test_a_disk_error_in_the_middle_leaves_the_last_whole_line(path, monkeypatch):
    real, wrote = os.write, []

    def fail_after_four_bytes(descriptor, data):
        if wrote:
            raise OSError(errno.EIO, "Input/output error")
        wrote.append(real(descriptor, data[:4]))
        return 4

    with LogWriter(path) as writer:
        writer.write(SIM)
        monkeypatch.setattr(log_writer.os, "write", fail_after_four_bytes)
        with pytest.raises(LogError) as caught:
            writer.write(SIM_2)
        monkeypatch.undo()
        assert str(caught.value) == f"cannot write {path}: the disk reported an error: check it, then try again"
        assert (wrote, path.read_bytes(), writer.size) == ([4], HEAD + SIM, len(HEAD + SIM))
        writer.write(REAL)
    assert path.read_bytes() == HEAD + SIM + REAL


def test_a_disk_that_cannot_save_is_told_in_one_line(path, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    with LogWriter(path) as writer:
        monkeypatch.setattr(log_writer.os, "fsync", fail)
        with pytest.raises(LogError) as caught:
            writer.sync()
    assert str(caught.value) == f"cannot save {path}: the disk reported an error: check it, then try again"


@pytest.mark.parametrize("content, size", [
    (None, 0), (b"", 0), (b"half", 0), (b"\n", 1), (HEAD, len(HEAD)), (HEAD + SIM + b"half", len(HEAD + SIM)),
    (b"x\n" + b"y" * 65_535, 2), (b"x\n" + b"y" * 200_000, 2), (b"x" * 200_000, 0)])
def test_whole_lines_end_behind_the_last_newline(path, content, size):
    if content is not None:
        path.write_bytes(content)
    assert whole_lines_size(path) == size


def test_the_whole_lines_of_a_folder_are_refused(tmp_path):
    with pytest.raises(LogError) as caught:
        whole_lines_size(tmp_path)
    assert str(caught.value) == f"cannot open {tmp_path}: it is a folder: name a file"


LONG = b"sim-3," + b"x" * 70_000 + b"\n"


@pytest.mark.parametrize("content, replaceable", [
    (None, True),
    (b"", True),
    (HEAD, True),
    (HEAD + SIM, True),
    (HEAD + SIM + SIM_2 * 10_000, True),
    (HEAD + SIM + b"sim-2,ha", True),
    (HEAD + SIM + b"si", True),
    (HEAD + b"sim-1,ha", True),
    (HEAD + LONG + SIM, True),
    (HEAD + LONG, False),  # its beginning is out of sight: better safe
    (HEAD + REAL, False),
    (HEAD + REAL + SIM, False),
    (HEAD + SIM + REAL, False),
    (HEAD + SIM * 10_000 + REAL, False),
    (HEAD + SIM + b"prod-9,no newline behind it", False),
    (HEAD + b"prod-9,ha", False),
    (HEAD + b"\n", False),
    (HEAD + SIM + b"\n", False),
    (HEAD + b"simple,a\n", False),
    (HEAD[:-1], False),
    (b"half", False),
    (b"my,notes\n", False),
    (b"my,notes\nsim-1,a\n", False),
    (SIM, False)])
def test_only_nothing_and_simulated_calls_are_replaceable(path, content, replaceable):
    if content is not None:
        path.write_bytes(content)
    assert is_replaceable(path) is replaceable


def test_a_whole_foreign_row_without_its_newline_is_ended_and_kept(tmp_path):
    path = tmp_path / "calls.csv"
    row = "x-1,2026-01-01T00:00:00.000Z,c,o,p,f,v,m,1,1,2,0.1,10,success,e,r,t,29,a"
    path.write_text(HEADER + "\n" + row, encoding="ascii")
    with LogWriter(path) as log:
        assert log.set_aside == 0
        log.write(row.replace("x-1", "x-2").encode("ascii") + b"\n")
    assert path.read_text(encoding="ascii").splitlines() == [HEADER, row, row.replace("x-1", "x-2")]
