"""The native fast path as the agent asks for it: whether it is taken, and what becomes of its faults.

The package is a fake here, so these run without it; ``tests/native`` holds the real one to Python.
"""

import logging
from types import SimpleNamespace

import pytest

from monitor.core.agreements.agreement import Report
from monitor.core.agreements.book import Book
from monitor.core.agreements.measures import CallRule
from monitor.errors import ConfigError
from monitor.stream.agents import native
from monitor.stream.agents.native import chosen
from monitor.wire.events import encode_event
from tests.core.stories import MONDAY_MS, agreement, clock
from tests.fuzz.world import World
from tests.native.given import of
from tests.native.given_calls import of as call
from tests.native.stage import Both, record


class PanicError(RuntimeError):
    pass


def partials(keys, rows, packed, end, head):
    """What the package sends of panes."""
    found = [(key, packed[key] if key in packed else rows.get(key)) for key in keys]
    return [(key + end, row and head + row[9:], key[1:].split(b"\x1f")[0]) for key, row in found]


def package(**more):
    return SimpleNamespace(**{
        "INTERFACE": native.INTERFACE, "ROW_VERSION": 2, "PANE_VERSION": 2, "__version__": "1.2.3", "Fault": PanicError,
        "partials": partials, **more,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "found", "said"),
    [
        ("auto", package(), "is on: sla-monitor-native 1.2.3"),
        ("required", package(), "is on: sla-monitor-native 1.2.3"),
        ("off", package(), "is off, by the setting native"),
        ("auto", None, "is off: the package sla-monitor-native is not installed"),
        ("auto", package(INTERFACE=native.INTERFACE + 1), "is off: sla-monitor-native is of another release"),
        ("auto", package(PANE_VERSION=1), "is off: sla-monitor-native is of another release"),
        ("auto", package(ROW_VERSION=1), "is off: sla-monitor-native is of another release"),
    ],
)
def test_the_log_says_whether_it_is_taken(monkeypatch, caplog, setting, found, said):
    monkeypatch.setattr(native, "_package", found)

    with caplog.at_level(logging.INFO):
        assert chosen(setting) is (found if "is on" in said else None)

    assert said in caplog.text


@pytest.mark.parametrize("found", [None, package(INTERFACE=native.INTERFACE + 1)])
def test_a_worker_that_must_have_it_does_not_start_without(monkeypatch, found):
    monkeypatch.setattr(native, "_package", found)

    with pytest.raises(ConfigError, match="is required, but"):
        chosen("required")


class Plan:
    """A plan of a package that knows nothing, and fails where it is told to."""

    fails = ""

    def __init__(self, **_more):
        self.asked = []

    def choose(self, **_names):
        pass

    def keep_always(self):
        return 0

    def is_full(self):
        return False

    def read(self, records, _max_bytes, _latest_ms):
        if self.fails == "read":
            raise PanicError("index out of bounds")
        return SimpleNamespace(others=list(range(1, len(records), 2)), newest_ms=0)

    def step(self, *_layers):
        if self.fails == "step":
            raise PanicError("attempt to subtract with overflow")
        raise AssertionError


@pytest.mark.parametrize("fails", ["read", "step"])
def test_python_folds_a_piece_on_which_it_fails(monkeypatch, caplog, fails):
    monkeypatch.setattr(Plan, "fails", fails)
    both = Both(Book((agreement(clock()),), 1), package(Plan=Plan))
    records = [record(*encode_event(of(f"T-{number}", 0, "opened", MONDAY_MS))) for number in range(5)]

    both.batch(records, MONDAY_MS)
    both.batch(records[:1], MONDAY_MS)

    both.check()
    tally = both.sides[1].tally
    assert (tally.ways, tally.native_faults) == ({("tickets", "python"): 6}, {"tickets": 2})
    assert "tickets/0: a fault of sla-monitor-native" in caplog.text


def test_faults_are_shown_from_the_start_for_the_topics_that_it_folds():
    assert World().monitor.snapshot().native_faults == {"calls": 0, "partials": 0, "tickets": 0}


def test_it_is_not_asked_about_calls_that_no_agreement_counts_or_whose_reports_must_have_fields():
    hotline = CallRule(id="hotline", answer_within_ms=20_000)
    for promise in (agreement(clock()), agreement(hotline, report=Report(required=("service",)))):
        both = Both(Book((promise,), 1), package(Calls=None), "call")

        both.batch([record(*encode_event(call("C-1", 0, "queued", MONDAY_MS)))], MONDAY_MS)

        both.check()
        assert both.sides[1].tally.ways == {("calls", "python"): 1}
