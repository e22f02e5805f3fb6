"""The simulated world: repeatable, lifelike, and bound by the example agreements."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.facts.events import ATTRIBUTES, TYPES
from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.demo.call_centre import LINES
from monitor.demo.hours import ZONE, always_busy, arrivals, busy, busy_start_ms
from monitor.demo.simulate import LATEST_MS, Simulator, bad_records
from monitor.demo.traffic import Surge, Traffic
from monitor.errors import DecodeError
from monitor.wire.events import decode, encode_event

START_MS = busy_start_ms(1_790_000_000_000)
HOUR_LATER_MS = START_MS + HOUR_MS


def hour(seed=1, **options):
    return Simulator(seed, START_MS, **options).until(HOUR_LATER_MS)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(START_MS - HOUR_MS, START_MS + HOUR_MS // 2), max_size=12), st.integers(0, 50))
def test_the_same_seed_tells_the_same_story_however_its_time_is_cut(cuts, seed):
    end_ms = START_MS + HOUR_MS // 2
    whole = Simulator(seed, START_MS, history_ms=HOUR_MS).until(end_ms)
    pieces = Simulator(seed, START_MS, history_ms=HOUR_MS)
    assert [event for cut in [*sorted(cuts), end_ms] for event in pieces.until(cut)] == whole


def test_another_seed_tells_another_story():
    assert hour(1) != hour(2)


def test_nothing_arrives_before_it_happened_or_long_after():
    simulator = Simulator(3, START_MS)
    simulator.until(START_MS)
    step_ms = 5_000
    for now_ms in range(START_MS + step_ms, HOUR_LATER_MS, step_ms):
        for event in simulator.until(now_ms):
            lateness_ms = now_ms - event.fact.time_ms
            assert 0 <= lateness_ms <= LATEST_MS + MINUTE_MS, event


def test_time_does_not_go_back():
    simulator = Simulator(1, START_MS)
    simulator.until(HOUR_LATER_MS)
    assert simulator.until(START_MS) == []


def test_some_events_come_twice_and_some_out_of_order_but_most_do_not():
    events = hour()
    ids = Counter(event.fact.id for event in events)
    repeated = sum(count > 1 for count in ids.values()) / len(ids)
    assert 0.005 < repeated < 0.03
    bodies = {event.fact.id: event for event in events}
    assert all(bodies[event.fact.id] == event for event in events), "a repeat is the same event"
    newest, behind = 0, 0
    for event in events:
        behind += event.fact.time_ms < newest - 2_000
        newest = max(newest, event.fact.time_ms)
    assert 0.01 < behind / len(events) < 0.15


def test_everything_told_is_in_the_contract_and_survives_the_wire():
    for event in hour():
        assert event.fact.type in TYPES[event.subject]
        assert all(type(value) is ATTRIBUTES[name] for name, value in event.fact.attributes.items())
        key, value = encode_event(event)
        assert decode(event.subject, key, value) == event


def test_all_three_subjects_show_their_whole_life():
    told = {(event.subject, event.fact.type) for seed in range(6) for event in hour(seed, intensity=2)}
    for subject, left_out in (
        ("ticket", {"updated"}),
        ("call", {"rated"}),
        ("outage", {"degraded", "cancelled", "heartbeat"}),
    ):
        assert {kind for of, kind in told if of == subject} == TYPES[subject] - left_out


def test_each_call_has_one_outcome_and_no_agent_takes_two_calls_at_once():
    events = Simulator(5, START_MS, history_ms=4 * HOUR_MS).until(HOUR_LATER_MS)
    facts = sorted(
        {(e.fact.time_ms, e.fact.sequence, e.subject_id, e.fact.type) for e in events if e.subject == "call"}
    )
    passed_on = {who for _, _, who, kind in facts if kind == "answered"}  # whose transfer is none from the queue
    outcomes = Counter(
        who
        for _, _, who, kind in facts
        if kind in {"answered", "abandoned", "callback_requested"} or (kind == "transferred" and who not in passed_on)
    )
    called_back = {who for _, _, who, kind in facts if kind == "callback_requested"}
    assert {n for who, n in outcomes.items() if who not in called_back} == {1}
    assert max(outcomes[who] for who in called_back) == 2, "some are answered after all, called back"
    agents = {line.queue: line.agents for line in LINES}
    talking = Counter()
    for _, _, who, kind in facts:
        queue = who.split("-")[0].lower()
        talking[queue] += (kind == "answered") - (kind == "ended")
        assert talking[queue] <= agents[queue] + 1  # one whose "ended" arrives later than the next "answered"


def test_more_comes_in_at_noon_than_at_night():
    noon = int(datetime(2026, 9, 16, 11, tzinfo=ZONE).timestamp() * 1000)
    night = int(datetime(2026, 9, 16, 3, tzinfo=ZONE).timestamp() * 1000)
    sunday = int(datetime(2026, 9, 20, 11, tzinfo=ZONE).timestamp() * 1000)
    assert busy(noon) > 10 * busy(night)
    assert busy(noon) > 2 * busy(sunday)


def test_a_poisson_stream_keeps_its_rate_and_its_surge():
    noon = int(datetime(2026, 9, 16, 10, tzinfo=ZONE).timestamp() * 1000)
    surge = Surge()
    surge.add(noon + HOUR_MS // 2, noon + HOUR_MS, 3.0)
    first = second = 0
    for at_ms, comes in arrivals(Traffic(1), noon, 4_000, surge):
        if at_ms >= noon + HOUR_MS:
            break
        if comes:
            first += at_ms < noon + HOUR_MS // 2
            second += at_ms >= noon + HOUR_MS // 2
    assert first == pytest.approx(2_000 * busy(noon), rel=0.1)
    assert second == pytest.approx(6_000 * busy(noon), rel=0.1)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)))  # noqa: DTZ001 - only chosen, then placed in the zone
def test_a_demonstration_starts_on_a_busy_afternoon_of_the_last_week(moment):
    now_ms = int(moment.replace(tzinfo=ZONE).timestamp() * 1000)
    start_ms = busy_start_ms(now_ms)
    local = datetime.fromtimestamp(start_ms / 1000, ZONE)
    assert (local.hour, local.minute) == (15, 5)
    assert local.weekday() in {1, 2, 3}
    assert now_ms - 6 * 24 * HOUR_MS < start_ms <= now_ms


def test_each_bad_record_is_refused_for_another_reason():
    reasons = []
    for record in bad_records():
        with pytest.raises(DecodeError) as refusal:
            decode(record.subject, record.key, record.value)
        reasons.append(refusal.value.reason)
    assert len(set(reasons)) == len(reasons) == 9


def test_another_run_tells_of_other_subjects_and_their_parents():
    first, second = hour(suffix="-a"), hour(suffix="-b")
    assert [event.subject_id[:-2] for event in first] == [event.subject_id[:-2] for event in second]
    assert not {event.fact.id for event in first} & {event.fact.id for event in second}
    parents = {event.fact.attributes["parent"] for event in second if "parent" in event.fact.attributes}
    assert parents
    assert parents <= {event.subject_id for event in second}


def test_on_a_day_that_is_always_busy_the_night_is_like_noon():
    night_ms = int(datetime(2026, 9, 20, 3, tzinfo=ZONE).timestamp() * 1000)
    quiet, loud = (
        len(Simulator(1, night_ms, history_ms=0, **day).until(night_ms + HOUR_MS)) for day in ({}, {"day": always_busy})
    )
    assert loud > 4 * quiet


def test_the_scenes_are_played_again_and_again():
    simulator = Simulator(1, START_MS, scenes_every_ms=2 * HOUR_MS)
    told = simulator.until(START_MS + 5 * HOUR_MS)
    announced = {event.subject_id for event in told if event.fact.type == "maintenance_announced"}
    assert len(announced) == 3
