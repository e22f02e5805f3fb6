"""The native merge of panes as the agent asks for it: what becomes of its faults, and of what it leaves.

The package is a fake here, so these run without it; ``tests/native`` holds the real one to Python.
"""

from types import SimpleNamespace

import pytest

from monitor.core.series.series import Pane, PaneKey, SeriesKey
from monitor.stream.agents import native_partials
from tests.core.stories import MONDAY_MS
from tests.native.merging import Both
from tests.partials import encode_partial


class PanicError(RuntimeError):
    pass


class Batch(list):
    def places(self, start):
        return list(range(start, len(self)))


class Merger:
    """A package that merges nothing, and fails where it is told to."""

    fails = ""
    asked = 0

    def __init__(self, series_type):
        assert series_type is SeriesKey

    def read(self, records, _max_bytes):
        if self.fails == "read":
            raise PanicError("index out of bounds")
        return Batch(records)

    def merge(self, batch, start, end, *_layers):
        self.asked += 1
        if self.fails == f"merge {self.asked}":
            raise PanicError("attempt to subtract with overflow")
        return 0, list(range(start, min(end, len(batch)))), [("desk", MONDAY_MS - start)]


PACKAGE = SimpleNamespace(Merger=Merger, Fault=PanicError)
PARTIALS = [
    encode_partial(
        "tickets/0", PaneKey(SeriesKey("desk", "resolution", (f"P{number}",)), "day", MONDAY_MS),
        Pane({"met": 1}, {}, {}, {}, {}),
    )
    for number in range(5)
]  # fmt: skip


@pytest.mark.parametrize("fails", ["read", "merge 1", "merge 2", "merge 3"])
def test_python_merges_what_is_left_of_a_batch_on_which_it_fails(monkeypatch, caplog, fails):
    monkeypatch.setattr(Merger, "fails", fails)
    monkeypatch.setattr(native_partials, "KEYS_AT_ONCE", 2)
    both = Both(PACKAGE)

    both.batch(*PARTIALS)
    both.batch(PARTIALS[0])

    both.check()
    faults = 1 if fails[-1] in "23" else 2  # the second batch is one piece, and asked of another merger
    assert both.sides[1].tally.native_faults == {"partials": faults}
    assert both.ways == (6, 0)
    assert "partials/0: a fault of sla-monitor-native" in caplog.text


def test_it_tells_since_when_an_agreement_has_been_measured(monkeypatch):
    monkeypatch.setattr(native_partials, "KEYS_AT_ONCE", 2)
    both = Both(PACKAGE)

    both.batch(*PARTIALS)

    assert both.sides[1].evaluate.evaluator._watched_ms == {"desk": MONDAY_MS - 4}
    assert not both.sides[1].tally.native_faults
