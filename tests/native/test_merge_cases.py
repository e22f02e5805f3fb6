"""Cases of the native merge that the law meets rarely. Most say how many panes Python merges, and the package."""

import pytest
from msgspec import msgpack

from monitor.core.pieces import at_once
from monitor.core.series.series import Pane, PaneKey, SeriesKey
from monitor.core.time.units import DAY_MS, MINUTE_MS
from monitor.core.windows.rows import MergedPane, merged_pane_key
from monitor.errors import RowError
from monitor.stream.agents import native_partials
from monitor.stream.partitions.ports import Now
from monitor.wire.rows import EVALUATE_ROWS
from tests.core.stories import MONDAY_MS
from tests.native.merging import Both, record
from tests.native.test_merge_law import native
from tests.partials import encode_partial

P1, P2, P3 = (SeriesKey("desk", "resolution", (one,)) for one in ("P1", "P2", "P3"))


def pane(met=1, calls=(), **counts):
    return Pane({"met": met, **counts}, {1_000: met}, dict(calls), {}, {3_600_000: met})


def partial(series=P1, met=1, minute=0, *, source="tickets/0", width="minute", part="", **counts):
    key = PaneKey(series, width, MONDAY_MS + minute * MINUTE_MS, part)
    return encode_partial(source, key, None if met is None else pane(met, **counts))


def records_of(*partials):
    return [record(*one) for one in partials]


def row_of(both, series=P1, minute=0, width="minute"):
    key = merged_pane_key(PaneKey(series, width, MONDAY_MS + minute * MINUTE_MS))
    return key, both.sides[1].state.rows.get(key)


def test_a_plain_job_is_merged_natively():
    both = Both(native)

    for minute in range(30):
        records = [
            partial(series, met, minute // 10 * 10 + place, source=f"tickets/{place % 4}")
            for series in (P1, P2)
            for place in range(8)
            for met in (minute + 1, minute + 2)
        ]
        both.batch(*records)
        if minute % 7 == 3:
            both.tick(MINUTE_MS)
        both.check()
    both.tick(DAY_MS)

    both.check()
    assert both.ways == (16, 464)


def test_nothing_is_decoded_before_a_series_is_evaluated(monkeypatch):
    both = Both(native)
    both.batch(partial())
    both.tick()

    with monkeypatch.context() as patch:
        patch.setattr(EVALUATE_ROWS, "decode", None)
        for met in range(2, 9):
            both.sides[1].batch(records_of(partial(met=met), partial(met=met, minute=5)))
    both.sides[0].batch(records_of(partial(met=8), partial(met=8, minute=5)))
    both.tick()

    assert both.sides[1].state.rows == both.sides[0].state.rows
    assert both.sides[1].evaluate.evaluator.latest == both.sides[0].evaluate.evaluator.latest


def test_a_place_that_a_pane_of_the_batch_makes_free_is_given_in_the_order_of_the_keys():
    both = Both(native, max_series=1)
    both.batch(partial(P1, minute=1))
    both.check()

    both.batch(partial(P1, None, minute=1), partial(P2, minute=1), partial(P1, minute=2))

    both.check()
    assert both.sides[1].evaluate.evaluator.beside(both.sides[1].books.book).shown == {P2}
    assert both.ways == (4, 0)


def test_what_comes_before_a_pane_that_python_merges_is_merged_natively():
    both = Both(native, max_series=1)
    both.batch(partial(P1, minute=1))

    both.batch(partial(P1, minute=2), partial(P2, minute=1), partial(P1, None, minute=1), partial(P1, minute=3))

    both.check()
    assert both.ways == (4, 1)


@pytest.mark.parametrize("at_once", [1, 2, 256])
def test_of_a_key_the_newest_record_that_can_be_read_is_taken(monkeypatch, at_once):
    monkeypatch.setattr(native_partials, "KEYS_AT_ONCE", at_once)
    both = Both(native)
    both.batch(partial(), partial(P2))
    key, value = partial(met=5)

    both.batch(
        (key, value), (None, value), partial(P2, 3), (key, value[:-1]), (None, b"x"), partial(P2, 4), (key, None)
    )
    both.batch((key, value), (key, b""), partial(P2, 5), partial(P2, 6))
    both.batch((key, b""), partial(P2, 7), (key, value))

    both.check()
    assert row_of(both, P2)[1] == EVALUATE_ROWS.encode(b"w", MergedPane({"tickets/0": pane(7)}))


def test_equal_contents_in_another_order_change_nothing():
    both = Both(native)
    both.batch(partial(a=1, b=2))
    both.tick()
    before = row_of(both)
    key, value = partial()
    other = Pane({"b": 2, "met": 1, "a": 1}, {1_000: 1}, {}, {}, {3_600_000: 1})

    both.batch((key, value[:1] + msgpack.encode(["tickets/0", other])))

    both.check()
    assert row_of(both) == before
    assert both.ways == (1, 1)
    assert not both.sides[1].evaluate.evaluator.beside(both.sides[1].books.book).panes


def test_a_pane_that_stands_again_as_it_was_committed_is_no_change_of_the_row():
    both = Both(native)
    both.batch(partial(), partial(minute=1))
    for side in both.sides:
        at_once(side.evaluate.batch(records_of(partial(met=2)), Now(MONDAY_MS, caught_up=True)))
        side.state.seal()

    both.batch(partial())

    both.check()
    assert both.sides[1].sent[-1] == {}


@pytest.mark.parametrize("version", [0, 1])
def test_rows_of_releases_before_are_python_s_until_they_are_written_anew(version):
    both = Both(native)
    both.batch(partial(), partial(P2))
    fields = msgpack.decode(row_of(both)[1][9:], strict=False)
    fields[0] = {source: one[:4] for source, one in fields[0].items()}
    old = bytes(8) + bytes([version] if version else []) + msgpack.encode(fields)
    for side in both.sides:
        side.state.rows[row_of(both)[0]] = old
    both.restart(natively=True)

    both.batch(partial(source="tickets/1"), partial(P2, 2))
    both.batch(partial(source="tickets/1", met=2), partial(P2, 3))

    both.check()
    assert both.ways == (3, 3)


def test_sources_out_of_order_are_python_s():
    both = Both(native)
    both.batch(partial(source="tickets/1"))
    unordered = EVALUATE_ROWS.encode(b"w", MergedPane({"tickets/1": pane(), "tickets/0": pane(2)}))
    for side in both.sides:
        side.state.rows[row_of(both)[0]] = unordered
    both.restart(natively=True)

    both.batch(partial(source="tickets/2"))
    both.batch(partial(source="tickets/3"))

    both.check()
    assert both.ways == (2, 1)


def test_a_source_with_a_row_of_its_own_leaves_its_series_to_python():
    both = Both(native)
    both.batch(partial(P1), partial(P2))
    both.batch(partial(P1, source="tickets/1", calls={"c": 1}.items()), partial(P2, 2))
    both.batch(partial(P1, source="tickets/1"), partial(P2, 3))
    both.tick()

    both.check()
    assert both.ways == (4, 2)


def test_a_row_that_no_record_would_hold_fails_as_in_python():
    both = Both(native)
    both.batch(partial())
    for side in both.sides:
        side.state.max_record_bytes = 160

    for side in both.sides:
        with pytest.raises(RowError, match="is larger than 160 bytes"):
            side.batch(records_of(*(partial(source=f"tickets/{number}") for number in range(1, 5))))


def test_the_beginning_of_what_is_measured_is_known_without_an_evaluation():
    both = Both(native)
    both.batch(partial(minute=60))

    both.batch(
        partial(minute=30), partial(P1, width="hour"), encode_partial("tickets/0", PaneKey(P1, "live", 0), pane())
    )

    both.check()
    assert both.ways == (1, 3)
    watched = [side.evaluate.evaluator._watched_ms for side in both.sides]
    assert watched == [{"desk": MONDAY_MS}] * 2


def test_the_package_keeps_a_bounded_number_of_keys():
    both = Both(native, max_series=100_000)
    series = [SeriesKey("desk", "resolution", (f"customer-{number}",)) for number in range(20_000)]
    both.batch(*(partial(one) for one in series))

    for met in (2, 3):
        both.batch(*(partial(one, met) for one in series))

    both.check()
    assert both.ways == (20_000, 40_000)
