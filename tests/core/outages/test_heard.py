"""Silence is blind time: any arrival gives the same, and a running window tells it when it begins."""

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.measures import CompositeRule, OutageRule
from monitor.core.facts.events import Event, Fact
from monitor.core.outages.figures import outage_figures
from monitor.core.outages.silence import silent_at, with_silence
from monitor.core.pieces import at_once
from monitor.core.series.panes import merge_panes
from monitor.core.series.series import OutageRecord, decode_pane_key
from monitor.core.time.windows import Window
from monitor.core.windows.evaluator import Evaluator
from tests.core.outages.test_outage_laws import panes_of
from tests.core.stories import MONDAY_MS, Story, agreement

MINUTE = 60_000
END_MS = MONDAY_MS + 240 * MINUTE
SERVICES = OutageRule(id="services", by=("service",), windows=(Window("day"),), blind_after_ms=10 * MINUTE)
PAIR = CompositeRule(
    id="pair", windows=(Window("day"),), blind_after_ms=10 * MINUTE, parts=(("web",), ("app-1", "app-2"))
)


def event(number, minute, kind="heartbeat", source="probe", service="web"):
    fact = Fact(MONDAY_MS + minute * MINUTE, 0, f"e-{number}", kind, {"service": service})
    return Event("outage", f"{source}-{service}", fact)


def run(batches, restart_after=()):
    story = Story(agreement(SERVICES, PAIR), subject="outage", retention="400d")
    for number, batch in enumerate(batches):
        story.take(story.engine.batch(batch, 0, story.book))
        if number in restart_after:
            story.restart()
    return story


def figures_of(story, rule):
    panes = [row for key, row in panes_of(story).items() if decode_pane_key(key).series.measure == rule.id]
    records = merge_panes(panes).outages.items()
    return {one.indicator: one.value for one in outage_figures(rule, records, MONDAY_MS, END_MS, END_MS, None)}


TOLD = st.tuples(
    st.integers(0, 200),
    st.sampled_from(["heartbeat", "heartbeat", "started", "resolved", "cancelled"]),
    st.sampled_from(["probe", "O-1"]),
)
HISTORIES = st.lists(TOLD, max_size=14).map(
    lambda told: [event(number, minute, kind, source) for number, (minute, kind, source) in enumerate(told)]
)


@settings(max_examples=100, deadline=None)
@given(HISTORIES, st.data())
def test_any_order_any_repetition_any_batch_boundary_and_any_restart_gives_the_same_panes(events, data):
    straight = run([events])
    again = data.draw(st.permutations(events))
    again += data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
    cuts = sorted(data.draw(st.sets(st.integers(0, len(again)), max_size=4)) | {len(again)})
    batches = [again[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]

    assert panes_of(run(batches, data.draw(st.sets(st.integers(0, 4))))) == panes_of(straight)


@settings(max_examples=100, deadline=None)
@given(HISTORIES)
def test_coverage_is_the_minutes_that_lie_within_ten_of_an_event_or_in_a_known_outage(events):
    story = run([events])
    minutes = {minute for one in events for minute in range(_minute(one), _minute(one) + 10)}
    for source in {one.subject_id for one in events}:
        own = [one for one in events if one.subject_id == source and one.fact.type != "heartbeat"]
        begun = [_minute(one) for one in own if one.fact.type == "started"]
        if begun and not any(one.fact.type == "cancelled" for one in own):
            # A step that is known only from before the start is moved there: such an outage lasts no time.
            ends = [_minute(one) for one in own if one.fact.type == "resolved"]
            later = [(_minute(one), one.fact.id) for one in own if one.fact.type == "resolved"]
            start = min((_minute(one), one.fact.id) for one in own if one.fact.type == "started")
            after = [minute for minute, number in later if minute >= start[0]]
            end = min(after) if after else start[0] if ends else 240
            minutes |= set(range(start[0], end))

    assert figures_of(story, SERVICES)["coverage"] == len(minutes & set(range(240))) / 240


def _minute(one):
    return (one.fact.time_ms - MONDAY_MS) // MINUTE


def test_a_composite_service_is_blind_where_all_services_of_a_part_are_silent():
    story = run([[
        event(0, 0), *(event(1 + n, 10 * n) for n in range(24)),  # web: always
        *(event(100 + n, 10 * n, service="app-1") for n in range(12)),  # app-1: the first two hours
        event(200, 180, service="app-2"),
    ]])  # fmt: skip

    assert figures_of(story, PAIR)["coverage"] == (120 + 10) / 240


def test_a_monitor_that_says_that_it_sees_nothing_vouches_for_nothing():
    story = run([[event(0, 0), event(1, 5, "monitoring_lost"), event(2, 50, "monitoring_restored")]])

    assert figures_of(story, SERVICES)["coverage"] == (5 + 10) / 240


def test_what_was_heard_is_left_out_where_an_amendment_asks_for_silence_no_more():
    heard = [("e", OutageRecord("heard", MONDAY_MS, restored_ms=END_MS))]
    asked_no_more = OutageRule(id="services")

    assert with_silence(asked_no_more, heard) == []
    assert at_once(silent_at(asked_no_more, heard, MONDAY_MS)) == (0, None)


def test_a_running_window_tells_that_a_service_fell_silent_when_it_does():
    story = run([[event(0, 0), event(1, 7)]])
    evaluator = Evaluator(_Rows())
    for key, pane in panes_of(story).items():
        evaluator.fold("outages-0", decode_pane_key(key), pane, story.book)

    def live(minute):
        now_ms = MONDAY_MS + minute * MINUTE
        evaluator.evaluate(now_ms, story.book)
        of = {one.series.measure: one.live["blind"] for one in evaluator.latest.values()}
        return of["services"]

    assert live(8) == 0
    assert evaluator.next_ms(MONDAY_MS + 8 * MINUTE) == MONDAY_MS + 9 * MINUTE, "the pair is blind"
    assert live(16) == 0
    assert evaluator.next_ms(MONDAY_MS + 16 * MINUTE) == MONDAY_MS + 17 * MINUTE
    assert live(17) == 1


class _Rows(dict):
    def put(self, key, row):
        if row is None:
            self.pop(key, None)
        else:
            self[key] = row
