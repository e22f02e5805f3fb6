"""Laws of calls: however the facts of calls arrive, the panes, clocks and announcements are the same.

Traps of calls (one test each): callback, flow-out, re-queue; nothing offered: absent; averages of averages.
"""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.measures import CallRule
from monitor.core.calls.figures import call_figures
from monitor.core.facts.events import TYPES, Event, Fact
from monitor.core.series.series import Pane, SeriesKey, empty_pane
from monitor.core.subjects.engine import SourceEngine
from monitor.core.subjects.rows import SubjectRow
from monitor.core.time.windows import Window
from tests.core.stories import MONDAY_MS, Story, agreement, clock, span

MINUTE = 60_000
END_MS = MONDAY_MS + 30 * 86_400_000
WINDOWS = (Window("rolling", 1_800_000), Window("day"))
CALLS = CallRule(
    id="calls", answer_within_ms=20_000, repeat_within_ms=7 * 86_400_000, by=("queue",), windows=WINDOWS,
)  # fmt: skip
CALLBACK = clock("callback", {"*": "1h"}, subject="call", by=("queue",), windows=WINDOWS)
KINDS = sorted(TYPES["call"] - {"queued"})


@st.composite
def histories(draw):
    """A few calls of a few callers, in the order in which they happened."""
    events = []
    for call in range(draw(st.integers(1, 3))):
        at = MONDAY_MS + draw(st.integers(0, 24 * 60)) * MINUTE
        who = {"queue": "support", "caller": draw(st.sampled_from(["ann", "bob"])), "issue": "login"}
        for number, kind in enumerate(["queued", *draw(st.lists(st.sampled_from(KINDS), max_size=7))]):
            attributes = dict(who) if number == 0 else {}
            if kind == "ended" and draw(st.booleans()):
                attributes |= {"talk_ms": 90_000, "wrap_up_ms": 10_000, "idle_ms": 5_000, "resolved": True}
            events.append(Event("call", f"C-{call}", Fact(at, number, f"{call}-{number}", kind, attributes)))
            at += draw(st.integers(0, 90)) * MINUTE // 2
    return sorted(events, key=lambda one: one.fact[:3])


class Restarting(Story):
    """A partition whose rows survive as bytes only."""

    def restart(self):
        types = {b"s": SubjectRow, b"p": Pane}
        self.rows = {
            key: msgspec.msgpack.decode(msgspec.msgpack.encode(row), type=types[key[:1]])
            for key, row in self.rows.items()
        }
        self.engine = SourceEngine("call", self, retention_ms=span("400d"))
        self.engine.restore(self.rows)


def run(batches, *, restarts=frozenset()):
    story = Restarting(
        agreement(CALLS, CALLBACK, allowed_lateness_ms=40 * 86_400_000), subject="call", retention="400d"
    )
    for number, batch in enumerate(batches):
        if number in restarts:
            story.restart()
        story.take(story.engine.batch(batch, 0, story.book))
    story.due(END_MS)
    return story


def essence(story):
    """Clocks without the count of what had to be taken back, what calls show, and the panes that are not empty."""
    rows = {key: row for key, row in story.rows.items() if key[:1] == b"s"}
    clocks = {key: [one._replace(ordinal=0) for one in row.clocks] for key, row in rows.items()}
    shown = {key: row.shown for key, row in rows.items()}
    panes = {key: pane for key, pane in story.rows.items() if isinstance(pane, Pane) and any((pane.counts, pane.calls))}
    return clocks, shown, panes


def test_trap_callback_flow_out_and_requeue_are_outcomes_of_their_own_and_in_no_service_level():
    counts = []
    for kinds in (
        ("callback_requested", "abandoned", "answered", "ended"),
        ("transferred", "ended"),
        ("transferred", "queued", "answered", "ended"),
    ):
        facts = [
            Event("call", "C-1", Fact(MONDAY_MS + place * MINUTE, place, str(place), kind, {"queue": "support"}))
            for place, kind in enumerate(("queued", *kinds))
        ]
        pane = run([facts]).pane(SeriesKey("desk", "calls", ("support",)), "day", MONDAY_MS)
        figures = {one.indicator: one.value for one in call_figures(CALLS, pane)}
        outcome = next(name for name in ("callback", "transferred", "answered") if name in pane.counts)
        counts.append((outcome, pane.counts.get("wait_ms"), figures["SL3"], figures["abandonment"]))

    assert counts == [("callback", None, None, 0.0), ("transferred", None, None, 0.0), ("answered", 180_000, 0.0, 0.0)]


def test_trap_nothing_offered_is_absent():
    assert {one.value for one in call_figures(CALLS, empty_pane())} == {None}


@settings(max_examples=120, deadline=None)
@given(histories(), st.data())
def test_any_arrival_order_of_calls_gives_the_same_panes_and_clocks(events, data):
    straight = run([[one] for one in events])

    shuffled = run([[one] for one in data.draw(st.permutations(events))])

    assert essence(shuffled) == essence(straight)


@settings(max_examples=80, deadline=None)
@given(histories(), st.data())
def test_any_repetition_batch_boundary_and_restart_of_calls_changes_nothing(events, data):
    straight = run([[one] for one in events])

    repeated = sorted([*events, *data.draw(st.lists(st.sampled_from(events)))], key=lambda one: one.fact[:3])
    cuts = sorted(data.draw(st.sets(st.integers(1, len(repeated)), max_size=4)) | {len(repeated)})
    batches = [repeated[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]
    again = run(batches, restarts=data.draw(st.sets(st.integers(0, len(batches)))))

    assert essence(again) == essence(straight)
    assert sorted(one.id for one in again.alerts) == sorted(one.id for one in straight.alerts)


@settings(max_examples=80, deadline=None)
@given(histories(), st.data())
def test_an_alert_of_a_callback_has_an_id_of_its_own_whatever_the_order(events, data):
    story = run([[one] for one in data.draw(st.permutations(events))])

    ids = [one.id for one in story.alerts]
    assert len(ids) == len(set(ids))
