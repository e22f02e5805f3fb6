"""Laws of outages: any arrival gives the same panes, and their figures are those of a count minute by minute."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.measures import CompositeRule, CustomerTerms, OutageRule
from monitor.core.facts.events import Event, Fact
from monitor.core.outages.figures import outage_figures
from monitor.core.series.panes import merge_panes
from monitor.core.series.series import Pane, decode_pane_key
from monitor.core.time.windows import Window
from tests.core.stories import MONDAY_MS, Story, agreement, clock

MINUTE = 60_000
HOURS = 6
END_MS = MONDAY_MS + HOURS * 60 * MINUTE
DAY = Window("day")
SERVICES = ("web", "db", "app-1", "app-2")
RULES = (
    clock("restore", {"*": "1h"}, subject="outage", by=("service",), windows=(DAY,)),
    OutageRule(
        id="services", by=("service",), windows=(DAY,), notice_ms=30 * MINUTE, weights={"sev2": 0.5},
        customers=CustomerTerms(served={"*": 100}),
    ),
    CompositeRule(
        id="portal", windows=(DAY,), notice_ms=30 * MINUTE, weights={"sev2": 0.5},
        parts=(("web",), ("db",), ("app-1", "app-2")),
    ),
)  # fmt: skip
KINDS = [
    "acknowledged", "responded", "degraded", "impact_changed", "restored", "resolved", "monitoring_lost",
    "monitoring_restored", "maintenance_announced", "maintenance_started", "maintenance_ended", "cancelled",
]  # fmt: skip


@st.composite
def histories(draw):
    """A few subjects' facts, in the order in which they happened."""
    events = []
    for subject in range(draw(st.integers(1, 4))):
        minute = draw(st.integers(0, 120))
        service = draw(st.sampled_from(SERVICES))
        first = draw(st.sampled_from(["started", "started", "monitoring_lost", "maintenance_announced"]))
        for number, kind in enumerate([first, *draw(st.lists(st.sampled_from(KINDS), max_size=6))]):
            attributes = {"service": service, **draw(st.sampled_from(ATTRIBUTES))}
            if kind == "maintenance_announced":
                starts = minute + draw(st.integers(0, 90))
                ends = starts + draw(st.integers(1, 60))
                attributes |= {"starts_at_ms": MONDAY_MS + starts * MINUTE, "ends_at_ms": MONDAY_MS + ends * MINUTE}
            fact = Fact(MONDAY_MS + minute * MINUTE, number, f"{subject}-{number}", kind, attributes)
            events.append(Event("outage", f"O-{subject}", fact))
            minute += draw(st.integers(0, 40))
    return sorted(events, key=lambda one: one.fact[:3])


ATTRIBUTES = (
    {}, {}, {"weight": 0.5}, {"severity": "sev2"}, {"severity": "sev1"}, {"customers_affected": 40},
    {"customers_affected": 0}, {"customers_affected": 90, "customers_total": 100}, {"parent": "O-0"}, {"parent": "O-1"},
)  # fmt: skip


def run(batches, restart_after=()):
    """The rows after these batches; after some of them the worker stops, and another one goes on with the rows."""
    story = Story(agreement(*RULES), subject="outage", retention="400d")
    for number, batch in enumerate(batches):
        story.take(story.engine.batch(batch, 0, story.book))
        if number in restart_after:
            story.restart()
    story.due(END_MS)
    return story


def panes_of(story):
    return {key: row for key, row in story.rows.items() if isinstance(row, Pane) and any(row)}


@settings(max_examples=150, deadline=None)
@given(histories(), st.data())
def test_any_arrival_order_gives_the_same_panes(events, data):
    assert panes_of(run([[one] for one in data.draw(st.permutations(events))])) == panes_of(run([events]))


@settings(max_examples=100, deadline=None)
@given(histories(), st.data())
def test_any_repetition_any_batch_boundary_and_any_restart_changes_nothing(events, data):
    straight = run([[one] for one in events])

    repeated = sorted([*events, *data.draw(st.lists(st.sampled_from(events)))], key=lambda one: one.fact[:3])
    cuts = sorted(data.draw(st.sets(st.integers(1, len(repeated)), max_size=4)) | {len(repeated)})
    batches = [repeated[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]
    again = run(batches, data.draw(st.sets(st.integers(0, len(batches)))))

    assert panes_of(again) == panes_of(straight)
    assert sorted(one.id for one in again.alerts) == sorted(one.id for one in straight.alerts)


@settings(max_examples=100, deadline=None)
@given(histories())
def test_a_cancelled_history_leaves_no_outage_in_any_pane(events):
    subjects = {one.subject_id for one in events}
    last = [Event("outage", one, Fact(END_MS, 99, f"{one}-x", "cancelled", {})) for one in sorted(subjects)]

    panes = panes_of(run([events, last])).values()
    assert [one for one in panes if one.outages or "blind" in one.counts] == []


# -- by the minute: plain lists of what is down in each minute, nothing of the program's spans


def by_the_minute(events, services, served=None):
    """The weight of each service in each minute, from the events alone; and where it is excused, and where unseen."""
    down = {one: [[] for _ in range(HOURS * 60)] for one in services}
    excused = {one: [False] * (HOURS * 60) for one in services}
    unseen = {one: [False] * (HOURS * 60) for one in services}
    for subject in {one.subject_id for one in events}:
        facts = [one.fact for one in events if one.subject_id == subject]
        service = facts[0].attributes["service"]
        if service not in services or any(one.type == "cancelled" for one in facts):
            continue
        for minute in range(HOURS * 60):
            at_ms = MONDAY_MS + minute * MINUTE
            weight = weight_at(facts, at_ms, served)
            if weight:
                down[service][minute].append(weight)
            excused[service][minute] |= excused_at(facts, at_ms)
            seeing = [one.type for one in facts if one.type.startswith("monitoring_") and one.time_ms <= at_ms]
            # Known to be down, with whatever weight, is not unseen.
            unseen[service][minute] |= bool(seeing) and seeing[-1] == "monitoring_lost"
            if weight is not None:
                down[service][minute].append(0.0)
    return down, excused, unseen


def weight_at(facts, at_ms, served):
    """None: no outage then."""
    weight, total, begun_ms = None, served, None
    for fact in facts:
        attributes = fact.attributes
        total = attributes.get("customers_total", total)
        if fact.time_ms > at_ms:
            break
        if fact.type == "started" and begun_ms is None:
            weight, begun_ms = 1.0, fact.time_ms
        if begun_ms is None:
            continue
        left = max(attributes.get("weight", 0), attributes.get("customers_affected", 0))
        if fact.type == "resolved" or (fact.type == "restored" and not left):
            return None
        if fact.type in ("started", "degraded", "impact_changed", "restored"):
            weight = told_weight(attributes, total, weight)
    return weight


def told_weight(attributes, total, before):
    if "weight" in attributes:
        return attributes["weight"]
    if attributes.get("customers_affected") == 0:
        return 0.0
    if "customers_affected" in attributes and total:
        return attributes["customers_affected"] / total
    return 0.5 if attributes.get("severity") == "sev2" else before


def excused_at(facts, at_ms):
    announced = [
        one for one in facts
        if one.type == "maintenance_announced" and one.attributes["starts_at_ms"] - one.time_ms >= 30 * MINUTE
    ]  # fmt: skip
    if not announced:
        return False
    start, end = announced[-1].attributes["starts_at_ms"], announced[-1].attributes["ends_at_ms"]
    began = [one.time_ms for one in facts if one.type == "maintenance_started"]
    over = [one.time_ms for one in facts if one.type == "maintenance_ended"]
    return max([start, *began[:1]]) <= at_ms < min([end, *over[-1:]])


def figures_of(story, rule, values):
    panes = [
        row for key, row in story.rows.items()
        if isinstance(row, Pane) and decode_pane_key(key)[:2] == (("desk", rule.id, values), "day")
    ]  # fmt: skip
    records = merge_panes(panes).outages.items()
    return {one.indicator: one for one in outage_figures(rule, records, MONDAY_MS, END_MS, END_MS, None)}


def compare(found, minutes):
    """Minutes as (weight, excused, unseen) against the figures."""
    watched = [(weight, excused) for weight, excused, unseen in minutes if not unseen]
    promised = [weight for weight, excused in watched if not excused]
    down = sum(promised) * MINUTE
    assert found["coverage"].numerator == len(watched) * MINUTE
    assert found["downtime"].numerator == pytest.approx(down, abs=1e-3)
    assert found["availability"].denominator == len(promised) * MINUTE
    assert found["availability"].numerator == pytest.approx(len(promised) * MINUTE - down, abs=1e-3)


@settings(max_examples=100, deadline=None)
@given(histories())
def test_downtime_coverage_and_availability_are_those_of_a_count_by_the_minute(events):
    story = run([events])
    down, excused, unseen = by_the_minute(events, SERVICES, served=100)

    for service in SERVICES:
        minutes = [
            (max(weights, default=0), is_excused, is_unseen and not weights)
            for weights, is_excused, is_unseen in zip(down[service], excused[service], unseen[service], strict=True)
        ]
        compare(figures_of(story, RULES[1], (service,)), minutes)


@settings(max_examples=100, deadline=None)
@given(histories())
def test_a_composite_service_is_down_minute_by_minute_where_a_part_is(events):
    story = run([events])
    down, excused, unseen = by_the_minute(events, SERVICES)
    parts = RULES[2].parts
    minutes = []
    for minute in range(HOURS * 60):
        weight = max(min(max(down[one][minute], default=0) for one in part) for part in parts)
        is_excused = any(all(excused[one][minute] for one in part) for part in parts)
        is_unseen = any(all(unseen[one][minute] for one in part) for part in parts)
        minutes.append((weight, is_excused, is_unseen and not weight))

    found = figures_of(story, RULES[2], ())

    compare(found, minutes)
    begun = sum(now[0] > 0 and not before[0] for before, now in zip([(0,), *minutes], minutes, strict=False))
    assert found["failures"].numerator == begun
