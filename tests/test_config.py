"""Settings: their defaults, the environment's overrides, and dates."""
from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

import pytest

from config import ROOT, Settings, load_settings, parse_date, today
from errors import UsageError


def test_without_an_environment_all_settings_are_the_defaults():
    assert load_settings({}) == Settings()


def test_the_defaults_are_the_documented_ones():
    settings = Settings()
    assert (settings.target_mb, settings.seed, settings.days, settings.customers) == (50.0, 42, 90, 500)
    assert (settings.workers, settings.batch_rows, settings.lock_wait_seconds, settings.today) == (0, 5000, 2.0, "")


def test_the_log_is_kept_in_the_data_folder_of_the_checkout():
    assert Path(__file__).resolve().parent.parent == ROOT
    assert Settings().csv_path == str(ROOT / "data" / "simulated_calls.csv")


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().seed = 1  # type: ignore[misc]


@pytest.mark.parametrize("name, text, field, value", [
    ("FINOPS_CSV_PATH", "/tmp/a.csv", "csv_path", "/tmp/a.csv"),
    ("FINOPS_TARGET_MB", "7.5", "target_mb", 7.5),
    ("FINOPS_SEED", "7", "seed", 7),
    ("FINOPS_DAYS", "30", "days", 30),
    ("FINOPS_LOCK_WAIT_SECONDS", "0.5", "lock_wait_seconds", 0.5),
    ("FINOPS_TARGET_MB", " 5e1\n", "target_mb", 50.0),
    ("FINOPS_SEED", "-3", "seed", -3),
    ("FINOPS_TODAY", "", "today", ""),
    ("FINOPS_TODAY", "2026-05-01", "today", "2026-05-01")])
def test_the_environment_overrides_one_setting_and_leaves_the_rest(name, text, field, value):
    assert load_settings({name: text, "SEED": "9"}) == dataclasses.replace(Settings(), **{field: value})


def test_the_process_environment_is_read_when_none_is_given(monkeypatch):
    monkeypatch.setenv("FINOPS_SEED", "123")
    assert load_settings().seed == 123


@pytest.mark.parametrize("name, text, message", [
    ("FINOPS_SEED", "many", "environment variable FINOPS_SEED: 'many' is not a whole number"),
    ("FINOPS_SEED", "1.5", "environment variable FINOPS_SEED: '1.5' is not a whole number"),
    ("FINOPS_DAYS", "", "environment variable FINOPS_DAYS: '' is not a whole number"),
    ("FINOPS_SEED", "1_000", "environment variable FINOPS_SEED: '1_000' is not a whole number"),
    ("FINOPS_SEED", "9" * 5000, f"environment variable FINOPS_SEED: '{'9' * 5000}' is not a whole number"),
    ("FINOPS_SEED", "\u0663", "environment variable FINOPS_SEED: '\u0663' is not a whole number"),
    ("FINOPS_TARGET_MB", "1_000.0", "environment variable FINOPS_TARGET_MB: '1_000.0' is not a number"),
    ("FINOPS_TARGET_MB", "inf", "environment variable FINOPS_TARGET_MB: 'inf' is not a number"),
    ("FINOPS_TARGET_MB", "-Infinity", "environment variable FINOPS_TARGET_MB: '-Infinity' is not a number"),
    ("FINOPS_TARGET_MB", "1e999", "environment variable FINOPS_TARGET_MB: '1e999' is not a number"),
    ("FINOPS_TARGET_MARGIN", "nan", "environment variable FINOPS_TARGET_MARGIN: 'nan' is not a number"),
    ("FINOPS_TARGET_MARGIN", "", "environment variable FINOPS_TARGET_MARGIN: '' is not a number"),
    ("FINOPS_CSV_PATH", "", "environment variable FINOPS_CSV_PATH is empty: give a path, or unset it"),
    ("FINOPS_REPORTS_PATH", "  ", "environment variable FINOPS_REPORTS_PATH is empty: give a path, or unset it"),
    ("FINOPS_TARGET_MB", "5,00", "environment variable FINOPS_TARGET_MB: '5,00' is not a number")])
def test_an_override_of_the_wrong_kind_is_refused_by_name(name, text, message):
    with pytest.raises(UsageError) as caught:
        load_settings({name: text})
    assert str(caught.value) == message


def test_a_date_is_read():
    assert parse_date("2026-02-28", "--start") == datetime.date(2026, 2, 28)


@pytest.mark.parametrize("text", ["", "2026-02-30", "31.01.2026", "2026-01-31T00:00", "tomorrow", "0000-01-01"])
def test_anything_but_a_date_is_refused_with_the_options_name(text):
    with pytest.raises(UsageError) as caught:
        parse_date(text, "--start")
    assert str(caught.value) == f"--start: {text!r} is not a date like 2026-01-31"


def test_today_is_the_date_that_the_settings_give():
    assert today(Settings(today="2026-05-01")) == datetime.date(2026, 5, 1)


def test_a_bad_today_is_refused_with_its_variables_name():
    with pytest.raises(UsageError, match="^FINOPS_TODAY: 'x' is not a date like 2026-01-31$"):
        today(Settings(today="x"))


def test_today_is_otherwise_the_clocks_date_in_utc():
    before = datetime.datetime.now(datetime.timezone.utc).date()
    found = today(Settings())
    assert before <= found <= datetime.datetime.now(datetime.timezone.utc).date()
