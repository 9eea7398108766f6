"""The exception tree and the sentences made from an operating system's errors."""
from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import pytest

from errors import (
    CatalogError,
    FinOpsError,
    LogBusyError,
    LogError,
    RecordError,
    RegistryError,
    UsageError,
    explain_os_error,
    listed,
)


@pytest.mark.parametrize("kind", [UsageError, CatalogError, RegistryError, RecordError, LogError, LogBusyError])
def test_every_error_belongs_to_the_one_tree(kind):
    assert issubclass(kind, FinOpsError)


@pytest.mark.parametrize("kind, code", [
    (FinOpsError, 1), (UsageError, 2), (CatalogError, 1), (RegistryError, 1), (RecordError, 1), (LogError, 1),
    (LogBusyError, 1)])
def test_only_wrong_usage_exits_with_2(kind, code):
    assert kind.exit_code == code


def test_a_busy_log_is_a_log_error():
    assert issubclass(LogBusyError, LogError)


def test_a_programming_error_is_no_finops_error():
    assert not issubclass(ValueError, FinOpsError)
    assert not issubclass(FinOpsError, (ValueError, OSError))


def test_a_record_error_names_the_field_and_the_reason():
    error = RecordError("cost_usd", "'-1' is negative")
    assert (error.field, error.reason, str(error)) == ("cost_usd", "'-1' is negative", "cost_usd: '-1' is negative")


def test_a_record_errors_category_is_its_kind_or_else_its_reason():
    assert RecordError("cost_usd", "'-1' is negative", "is negative").category == "cost_usd is negative"
    assert RecordError("row", "has 18 fields instead of 19").category == "row has 18 fields instead of 19"


def test_a_record_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(RecordError("cost_usd", "'-1' is negative", "is negative")))
    assert (str(error), error.category) == ("cost_usd: '-1' is negative", "cost_usd is negative")


def _explained(number):
    return explain_os_error("write", Path("calls.csv"), OSError(number, os.strerror(number)))


@pytest.mark.parametrize("number, cure", [
    (errno.ENOSPC, "the disk is full: free some space or choose another folder"),
    (errno.EDQUOT, "the disk quota is used up: free some space or choose another folder"),
    (errno.EACCES, "permission denied: choose a file that you may write, or change its permissions"),
    (errno.EPERM, "permission denied: choose a file that you may write, or change its permissions"),
    (errno.EROFS, "the file system is read-only: choose another folder"),
    (errno.EISDIR, "it is a folder: name a file"),
    (errno.ENOTDIR, "a part of the path is a file, not a folder: check the path"),
    (errno.EEXIST, "a file is where a folder is needed: check the path"),
    (errno.ENOENT, "no such file or folder: check the path"),
    (errno.EIO, "the disk reported an error: check it, then try again"),
    (errno.EFBIG, "the file would exceed the size limit: raise the limit or choose a smaller size")])
def test_a_common_error_is_explained_with_its_cure(number, cure):
    assert _explained(number) == f"cannot write calls.csv: {cure}"


def test_an_error_without_a_cure_is_explained_in_the_systems_words():
    assert _explained(errno.EBADF) == f"cannot write calls.csv: {os.strerror(errno.EBADF).lower()}"


def test_an_error_without_a_number_is_explained_by_its_text():
    assert explain_os_error("read", "a.csv", OSError("Locks Missing")) == "cannot read a.csv: locks missing"


def test_an_explanation_names_a_path_given_as_text_or_as_a_path():
    error = OSError(errno.EISDIR, "Is a directory")
    assert explain_os_error("open", "a/b", error) == "cannot open a/b: it is a folder: name a file"
    assert explain_os_error("open", Path("a/b"), error) == f"cannot open {Path('a/b')}: it is a folder: name a file"


@pytest.mark.parametrize("names, text", [([], ""), (["b"], "b"), (["b", "c", "a"], "a, b, c")])
def test_names_are_listed_sorted(names, text):
    assert listed(names) == text
