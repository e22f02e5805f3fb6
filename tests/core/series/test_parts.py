"""Panes with more items than a row may hold: they stand in several rows, and mean what one would."""

from contextlib import contextmanager
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.measures import CallRule, OutageRule
from monitor.core.facts.events import Event, Fact
from monitor.core.series import parts
from monitor.core.series.panes import merge_panes
from monitor.core.series.parts import Parts, in_order, name_of, size_of
from monitor.core.series.series import Pane, PaneKey, SeriesKey, decode_pane_key, empty_pane, encode_pane_key
from monitor.core.windows.rows import merged_pane_key
from tests.core.stage import DAY, HOUR, Stage, copied
from tests.core.stories import Story, agreement, event, ms

ROW = 1 << 20
"""Far below what Kafka takes."""
MINUTE_MS = 60_000
SERIES = SeriesKey("desk", "m", ())
RULES = {
    "call": CallRule(id="m", windows=(HOUR, DAY), answer_within_ms=20_000, repeat_within_ms=24 * 3_600_000),
    "outage": OutageRule(id="m", windows=(HOUR, DAY), blind_after_ms=10 * MINUTE_MS),
}


def panes(story):
    return {decode_pane_key(key): row for key, row in story.rows.items() if key[:1] == b"p"}


def whole(story):
    """The panes as if each stood in one row, without empty ones."""
    found = {}
    for key, pane in panes(story).items():
        found.setdefault(key._replace(part=""), []).append(pane)
    merged = {key: merge_panes(several) for key, several in found.items()}
    return {key: pane for key, pane in merged.items() if any(pane)}


def largest_row(story, *, live=False):
    found = [pane for key, pane in panes(story).items() if key.width == "live" or not live]
    return max(len(msgspec.msgpack.encode(pane)) for pane in found)


def batches(names):
    return [names[start : start + 250] for start in range(0, len(names), 250)]


@contextmanager
def small_parts(largest=120, few=1):
    with patch.object(parts, "LARGEST", largest), patch.object(parts, "_FEW", few):
        yield


class Centre(Story):
    """A story whose panes go to an evaluator."""

    def __init__(self, subject):
        self.stage = Stage(agreement(RULES[subject]))
        super().__init__(agreement(RULES[subject]), subject=subject)

    def come(self, time, *events):
        """Events happen and arrive at a time; what is due then is not looked for."""
        stamped = [one._replace(fact=one.fact._replace(time_ms=ms(time))) for one in events]
        self.take(self.engine.batch(stamped, ms(time), self.book))

    def take(self, effects):
        super().take(effects)
        self.told(effects.panes)

    def told(self, keys):
        for key in keys:
            self.stage.evaluator.fold("s/0", key, copied(self.get(encode_pane_key(key))), self.stage.book)


# -- stories


@pytest.mark.parametrize("letters", ["x", "\N{PILE OF POO}"])
def test_a_queue_of_thousands_of_calls_with_long_ids_fits_its_rows(letters):
    """Given 4,000 waiting calls with ids of 512 characters, when some are answered, then no row is large."""
    centre = Centre("call")
    names = [f"{number:06}".ljust(512, letters) for number in range(4_000)]
    for some in batches(names):
        centre.come("Mon 09:00", *[event("call", name, "queued", caller=name) for name in some])
        assert largest_row(centre, live=True) < ROW
    centre.stage.look("Mon 09:01")

    assert max(map(len, centre.stage.rows.values())) < ROW
    assert centre.stage.latest("1h", SERIES).live == {"waiting": 4_000, "longest_wait_ms": 60_000}

    for some in batches(names):
        centre.come("Mon 09:02", *[event("call", name, "answered") for name in some])
    centre.stage.look("Mon 09:03")

    assert largest_row(centre) < ROW
    assert centre.stage.latest("1h", SERIES).live == {"waiting": 0, "longest_wait_ms": 0}
    assert [key for key in panes(centre) if key.width == "live"] == [PaneKey(SERIES, "live", 0)]


def test_a_flood_of_outages_at_one_instant_fits_its_rows_and_each_counts():
    """Given 3,000 outages that begin at one instant, when all but one end, then each has its part in the figures."""
    centre = Centre("outage")
    names = [f"{number:04}".rjust(400, "o") for number in range(3_000)]
    for some in batches(names):
        centre.come("Mon 09:00", *[event("outage", name, "started") for name in some])
    for some in batches(names[1:]):
        centre.come("Mon 09:30", *[event("outage", name, "resolved") for name in some])
    centre.stage.look("Mon 10:00")

    assert largest_row(centre) < ROW
    assert max(map(len, centre.stage.rows.values())) < ROW
    status = centre.stage.latest("day", SERIES)
    assert (status.live["open"], status.live["oldest_ms"]) == (1, 60 * MINUTE_MS)
    figures = {one.indicator: one for one in status.figures}
    assert figures["failures"].numerator == 3_000
    assert (figures["mttr_restore"].numerator, figures["mttr_restore"].denominator) == (2_999 * 30 * MINUTE_MS, 2_999)


def test_a_batch_touches_the_parts_of_its_time_and_no_others():
    """Given a long queue, when one more call comes in, then one part of it is written again, not the queue."""
    with small_parts(largest=100):
        centre = Centre("call")
        for minute in range(60):
            centre.come(f"Mon 09:{minute:02}", event("call", f"C-{minute}", "queued"))
        effects = centre.engine.batch(
            [Event("call", "C-new", Fact(ms("Mon 10:00"), 0, "new", "queued", {}))], ms("Mon 10:00"), centre.book
        )

    live = [key for key in panes(centre) if key.width == "live"]
    assert len(live) > 10
    assert len([key for key in effects.panes if key.width == "live"]) == 2  # the counts, and the newest part


def test_parts_of_a_pane_expire_with_it_and_the_pane_itself_last():
    with small_parts():
        centre = Centre("outage")
        for number in range(20):
            centre.at(f"Mon 09:{number:02}", event("outage", f"O-{number}", "started"))
        for number in range(20):
            centre.at("Mon 10:00", event("outage", f"O-{number}", "resolved"))
        assert len(centre.engine.parts) > 5
        gone = []
        while (at_ms := centre.engine.next_expiry_ms()) is not None:
            gone += centre.engine.expire(at_ms)

    assert not [key for key in panes(centre) if key.width != "live"]
    assert not centre.engine.parts
    by_pane = {}
    for key in gone:
        by_pane.setdefault(key._replace(part=""), []).append(key.part)
    assert max(map(len, by_pane.values())) > 5
    assert all(told[-1] == "" and all(told[:-1]) for told in by_pane.values())


def test_consequences_of_an_outage_with_a_long_id_find_it_and_each_stretch_has_a_short_name():
    first, second = "first".ljust(500, "x"), "second".ljust(500, "x")
    centre = Centre("outage")
    centre.come("Mon 09:00", event("outage", first, "started"))
    centre.come("Mon 09:01", event("outage", second, "started", parent=first))
    centre.come("Mon 09:30", event("outage", first, "monitoring_lost"), event("outage", second, "restored"))
    centre.stage.look("Mon 10:00")

    assert max(len(name) for pane in panes(centre).values() for name in pane.outages) < 64
    figures = {one.indicator: one for one in centre.stage.latest("day", SERIES).figures}
    assert figures["failures"].numerator == 1


# -- laws

actions = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 90), st.sampled_from(["first", "then", "end"]), st.booleans()),
    min_size=1, max_size=60,
)  # fmt: skip
_TYPES = {
    "call": {"first": "queued", "then": "answered", "end": "ended"},
    "outage": {"first": "started", "then": "monitoring_lost", "end": "restored"},
}


def minutes(minute):
    return ms("Mon 09:00") + minute * MINUTE_MS


def events_of(subject, several):
    return [
        Event(
            subject, f"{'long' * (number % 3) * 10}{number}",
            Fact(minutes(minute), 0, f"e{place}", _TYPES[subject][kind], {"caller": f"c{number % 3}"}),
        )
        for place, (number, minute, kind, _) in enumerate(several)
    ]  # fmt: skip


@pytest.mark.parametrize("subject", ["call", "outage"])
@given(actions)
def test_a_pane_in_parts_is_the_pane_in_one_row_and_gives_the_same_figures(subject, several):
    """Whatever comes in whatever batches, with restarts between: merging the parts gives the undivided pane."""
    now_ms = ms("Mon 11:00")
    one, other = Centre(subject), Centre(subject)
    events = events_of(subject, several)
    start = 0
    for place, (*_, ends_batch) in enumerate(several, 1):
        if not ends_batch and place < len(several):
            continue
        one.take(one.engine.batch(events[start:place], now_ms, one.book))
        with small_parts():
            other.take(other.engine.batch(events[start:place], now_ms, other.book))
            if place % 2:
                other.restart()
                other.stage.restart()
            held = [pane for pane in panes(other).values() if len(pane.calls) + len(pane.outages) > 1]
            assert all(size_of(pane) <= parts.LARGEST for pane in held)
        start = place
        assert whole(one) == whole(other)
    for stage in (one.stage, other.stage):
        stage.look("Mon 11:00")
        stage.look("Tue 06:00")

    assert one.stage.statuses[-1:] == other.stage.statuses[-1:]
    assert one.stage.statements == other.stage.statements
    assert {window: other.stage.latest(window, SERIES) for window in ("1h", "day")} == {
        window: one.stage.latest(window, SERIES) for window in ("1h", "day")
    }


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 40)), min_size=2, max_size=40))
def test_what_is_divided_is_told_in_an_order_in_which_nothing_is_ever_missing(several):
    """An evaluator that has heard of only a part of a batch knows an item twice rather than not at all."""
    centre = Story(agreement(RULES["call"]), subject="call")
    heard = {}
    known = set()
    with small_parts():
        for place, (minute, _) in enumerate(several):
            fact = Fact(minutes(minute), 0, f"e{place}", "queued", {})
            effects = centre.engine.batch([Event("call", f"C-{place}", fact)], ms("Mon 09:00"), centre.book)
            for key in effects.panes:
                heard[key] = copied(centre.get(encode_pane_key(key))) or empty_pane()
                assert known <= set(merge_panes(pane for one, pane in heard.items() if one.width == "live").calls)
            known.add(f"C-{place}")


def test_parts_are_recalled_with_the_rows_of_a_batch_that_failed():
    """Given a batch that failed, when its rows are taken back, then each item is looked for where it stands."""
    with small_parts(largest=30):
        centre = Centre("call")
        for number in range(6):
            centre.come(f"Mon 09:0{number}", event("call", f"C-{number}", "queued"))
        rows = {key: copied(row) if key[:1] == b"p" else row for key, row in centre.rows.items()}
        memory = centre.engine.parts.remember()
        centre.engine.remember()
        centre.engine.batch(events_of("call", [(number, number, "first", True) for number in range(9)]), 0, centre.book)
        assert centre.engine.parts.remember() != memory

        centre.rows = rows
        centre.engine.recall()
        assert centre.engine.parts.remember() == memory
        for number in range(6):
            centre.come("Mon 10:00", event("call", f"C-{number}", "answered"))

    assert {key: pane for key, pane in panes(centre).items() if key.width == "live"} == {
        PaneKey(SERIES, "live", 0): empty_pane()
    }


def test_a_pane_with_several_parts_is_named_once():
    parts, key = Parts(), PaneKey(SERIES, "day", 0)

    parts.note(key._replace(part="1"))
    parts.note(key._replace(part="2"))

    assert list(parts) == [key]


def test_keys_are_told_with_the_last_part_first():
    key = PaneKey(SERIES, "day", 0)
    assert in_order([key, key._replace(part="1"), key._replace(part="2")]) == [
        key._replace(part="2"), key._replace(part="1"), key,
    ]  # fmt: skip


# -- what earlier releases wrote


def test_a_long_id_that_an_earlier_release_kept_in_its_live_pane_is_taken_out_of_it():
    """Given a live pane with whole ids, larger than a row may be, when its calls are answered, then none is left."""
    centre = Centre("call")
    names = [f"{number:03}".ljust(500, "x") for number in range(300)]
    centre.at("Mon 09:00", *[event("call", name, "queued") for name in names])
    for key in [key for key in panes(centre) if key.width == "live"]:
        del centre.rows[encode_pane_key(key)]
    live = PaneKey(SERIES, "live", 0)
    centre.rows[encode_pane_key(live)] = Pane({"waiting": 300}, {}, dict.fromkeys(names, ms("Mon 09:00")), {}, {})
    centre.restart()

    centre.at("Mon 09:01", *[event("call", name, "answered") for name in names[:2]])
    assert largest_row(centre) < 100_000
    assert len([key for key in panes(centre) if key.width == "live"]) > 1
    for start in range(2, 300, 50):
        centre.at("Mon 09:01", *[event("call", name, "answered") for name in names[start : min(300, start + 50)]])

    assert {key: pane for key, pane in panes(centre).items() if key.width == "live"} == {live: empty_pane()}


def test_a_short_id_is_its_own_name_and_of_a_long_one_the_hash_is():
    assert name_of("0190a5b2-7c1d-7e55-b0a5-3f2d1c0e9a11") == "0190a5b2-7c1d-7e55-b0a5-3f2d1c0e9a11"
    assert len(name_of("x" * 65)) == 16
    assert name_of(name_of("x" * 65)) == name_of("x" * 65)


# -- the evaluator's rows


def pane_of(*names):
    return Pane({"waiting": len(names)}, {}, dict.fromkeys(names, ms("Mon 09:00")), {}, {})


def test_the_panes_of_sources_with_items_have_rows_of_their_own_and_share_one_without():
    stage = Stage(agreement(RULES["call"]))
    live = PaneKey(SERIES, "live", 0)
    shared = merged_pane_key(live)
    for number in range(3):
        stage.evaluator.fold(f"calls/{number}", live, pane_of(f"C-{number}"), stage.book)
    stage.evaluator.fold("calls/1", live, empty_pane(), stage.book)
    stage.evaluator.fold("calls/2", live, Pane({"waiting": -1}, {}, {}, {}, {}), stage.book)
    own = merged_pane_key(live._replace(part="calls/0"))
    assert {key for key in stage.rows if key[:1] == b"w"} == {own, shared}

    stage.restart().evaluator.fold("calls/2", live, pane_of("C-2"), stage.book)
    assert {key for key in stage.rows if key[:1] == b"w"} == {own, merged_pane_key(live._replace(part="calls/2"))}

    for source in ("calls/0", "calls/2"):
        stage.evaluator.fold(source, live, empty_pane(), stage.book)
    assert not [key for key in stage.rows if key[:1] == b"w"]


def test_a_row_that_an_earlier_release_wrote_for_all_sources_is_read_and_taken_apart():
    stage = Stage(agreement(RULES["call"]))
    live = PaneKey(SERIES, "live", 0)
    row = [{"calls/0": pane_of("C-0"), "calls/1": pane_of("C-1")}]
    dict.__setitem__(stage.rows, merged_pane_key(live), msgspec.msgpack.encode(row))
    stage.restart()

    stage.evaluator.fold("calls/1", live, pane_of("C-1", "C-2"), stage.book)
    stage.look("Mon 09:01")

    assert stage.latest("1h", SERIES).live["waiting"] == 3
    assert msgspec.msgpack.decode(stage.rows[merged_pane_key(live)])[0].keys() == {"calls/0"}


def test_a_part_that_is_emptied_leaves_the_evaluator_also_in_the_pane_of_a_day_that_is_not_closed():
    """What stands in no part any more must not be counted on: only an expired pane is kept for its statement."""
    with small_parts():
        centre = Centre("outage")
        for number in range(8):
            centre.at(f"Mon 09:{number:02}", event("outage", f"O-{number}", "started"))
            centre.at(f"Mon 09:{number:02}", event("outage", f"O-{number}", "resolved"))
        for number in range(1, 8):
            centre.at("Mon 10:00", event("outage", f"O-{number}", "cancelled"))
        centre.stage.look("Mon 10:01")

    assert {one.indicator: one.numerator for one in centre.stage.latest("day", SERIES).figures}["failures"] == 1
