"""Laws of the fold: what must hold for every history, however it arrives."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.agreement import Report
from monitor.core.agreements.book import Book
from monitor.core.agreements.measures import Filter
from monitor.core.agreements.ticket_measure import TicketRule
from monitor.core.clocks.terms import Plan
from monitor.core.facts.events import Event, Fact
from monitor.core.series.series import Pane
from monitor.core.subjects.fast_path import first_fact, next_fact
from monitor.core.subjects.step import step
from monitor.core.time.units import HOUR_MS
from monitor.core.time.windows import Window
from tests.core.stories import ALWAYS, DAY_MS, MONDAY_MS, OFFICE, Story, agreement, clock

MINUTE = 60_000
END_MS = MONDAY_MS + 4 * 86_400_000

RULES = (
    clock("acknowledge", {"P1": "30m", "*": ("2h", "office")}),
    clock("first_response", {"P1": "1h", "*": ("4h", "office")}, at_risk=("50%", "75%", "10m")),
    clock("resolution", {"P1": "4h", "P2": ("8h", "office"), "*": "24h"}, at_risk=("75%",), counts_late=True),
)
DRIVEN = (
    clock("next_response", {"P1": "1h", "*": ("4h", "office")}, at_risk=("50%",), pause_on=frozenset({"customer"})),
    clock("periodic_update", {"*": "3h"}),
    clock("ownership", {"*": ("4h", "office")}, by=("team",)),
    replace(clock("ownership", {"*": "2h"}), id="network", where=Filter(any_of=(("team", frozenset({"network"})),))),
    clock("time_in", {"*": "5h"}, states=frozenset({"in_progress", "waiting:supplier"})),
    clock("requester_wait", {"*": "8h"}, pause_on=frozenset({"customer"})),
    clock("agent_work", {"*": ("6h", "office")}),
    clock("resolution_gross", {"*": "12h"}, cycles="sum"),
    clock("resolution_net", {"*": ("8h", "office")}, cycles="sum"),
)
CAPPED = {"pause_on": frozenset({"customer", "supplier"}), "pause_caps": {"customer": 2 * HOUR_MS}}
CHANGING = (
    clock("first_response", {"P1": "1h", "P2": "4h"}, at_risk=("50%", "10m"), on_change="from_change"),
    clock(
        "resolution",
        {"P1": "4h", "P2": ("8h", "office"), "*": "24h"},
        on_change="prorated",
        cycles="sum",
        counts_late=True,
    ),
    replace(clock("resolution", {"P1": "4h", "P2": "8h", "*": ("12h", "office")}, on_change="from_change"), id="anew"),
    replace(clock("resolution", {"*": "8h"}, **CAPPED), id="capped"),
    clock("next_response", {"P1": "1h", "*": ("4h", "office")}, on_change="prorated", **CAPPED),
)
BOOKS = st.sampled_from([RULES, DRIVEN, CHANGING])
CYCLES = st.sampled_from(["first", "last", "each", "sum"])


@st.composite
def histories(draw):
    """A few tickets' facts, in the order in which they happened."""
    events = []
    for subject in range(draw(st.integers(1, 3))):
        at = MONDAY_MS + draw(st.integers(0, 24 * 60)) * MINUTE
        kinds = ["opened", *draw(st.lists(st.sampled_from(KINDS), max_size=8))]
        for number, kind in enumerate(kinds):
            attributes = {"priority": draw(st.sampled_from(["P1", "P2", "P3"]))} if kind in CARRY_PRIORITY else {}
            if kind == "assigned":
                attributes["team"] = draw(st.sampled_from(["service-desk", "network"]))
            if kind == "updated":
                attributes["public"] = draw(st.booleans())
            if kind in ("paused", "resumed"):
                attributes["reason"] = draw(st.sampled_from(["customer", "supplier"]))
            events.append(Event("ticket", f"T-{subject}", Fact(at, number, f"{subject}-{number}", kind, attributes)))
            at += draw(st.integers(0, 600)) * MINUTE
    return sorted(events, key=lambda one: one.fact[:3])


KINDS = [
    "acknowledged", "responded", "paused", "resumed", "resolved", "reopened", "priority_changed", "updated", "closed",
    "cancelled", "customer_replied", "assigned",
]  # fmt: skip
CARRY_PRIORITY = ("opened", "priority_changed")


def covering(rules, cycles="each"):
    """An agreement on these rules; the cycles are those of the third one, where it has any say."""
    third = rules[2] if rules[2].metric == "ownership" else replace(rules[2], cycles=cycles)
    return agreement(*rules[:2], third, *rules[3:])


def run(batches, cycles="each", rules=RULES):
    """The rows after these batches, judged by event time while they come in and by the clock afterwards."""
    story = Story(covering(rules, cycles), retention="400d")
    for batch in batches:
        story.take(story.engine.batch(batch, 0, story.book))
    story.due(END_MS)
    return story


def essence(story):
    """Clocks without the count of what had to be taken back, and the panes that are not empty."""
    clocks = {
        key: [one._replace(ordinal=0) for one in row.clocks] for key, row in story.rows.items() if key[:1] == b"s"
    }
    panes = {key: pane for key, pane in story.rows.items() if isinstance(pane, Pane) and (pane.counts or pane.buckets)}
    return clocks, panes


@settings(max_examples=150, deadline=None)
@given(histories(), BOOKS, CYCLES, st.data())
def test_any_arrival_order_gives_the_same_clocks_and_figures(events, rules, cycles, data):
    straight = run([[one] for one in events], cycles, rules)

    shuffled = run([[one] for one in data.draw(st.permutations(events))], cycles, rules)

    assert essence(shuffled) == essence(straight)


@settings(max_examples=100, deadline=None)
@given(histories(), BOOKS, st.data())
def test_any_repetition_and_any_batch_boundary_changes_nothing(events, rules, data):
    straight = run([[one] for one in events], rules=rules)

    repeated = sorted([*events, *data.draw(st.lists(st.sampled_from(events)))], key=lambda one: one.fact[:3])
    cuts = sorted(data.draw(st.sets(st.integers(1, len(repeated)), max_size=4)) | {len(repeated)})
    batches = [repeated[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]
    again = run(batches, rules=rules)

    assert essence(again) == essence(straight)
    assert sorted(one.id for one in again.alerts) == sorted(one.id for one in straight.alerts)


def test_a_cycle_that_late_facts_undo_and_bring_back_is_told_by_other_ids():
    facts = [
        Fact(MONDAY_MS + (number > 7) * 3 * HOUR_MS, number, f"0-{number}", kind, {} if number else {"priority": "P1"})
        for number, kind in enumerate((
            "opened", "acknowledged", "resolved", "acknowledged", "cancelled", "resolved", "reopened", "acknowledged",
            "acknowledged",
        ))
    ]  # fmt: skip
    # 4 undoes the second cycle, which has told of its risk: the ticket was cancelled before it was reopened. 2 brings
    # it back: it was solved before that.
    story = run([[Event("ticket", "T-0", facts[number])] for number in (0, 1, 8, 3, 5, 6, 4, 7, 2)], "last")

    ids = [one.id for one in story.alerts]
    assert len(ids) == len(set(ids)) == 11


@settings(max_examples=150, deadline=None)
@given(histories(), BOOKS, CYCLES, st.data())
def test_each_id_is_announced_once_whatever_the_order(events, rules, cycles, data):
    story = run([[one] for one in data.draw(st.permutations(events))], cycles, rules)

    ids = [one.id for one in story.alerts]
    assert len(ids) == len(set(ids))


@settings(max_examples=150, deadline=None)
@given(histories(), BOOKS)
def test_what_was_announced_last_is_what_holds(events, rules):
    """On each key the life cycle is in order, and ends as the clock ends."""
    story = run([[one] for one in events], rules=rules)

    for key, row in story.rows.items():
        if key[:1] != b"s":
            continue
        for one in row.clocks:
            told = [
                alert.state for alert in story.alerts if alert.key[1:] == (key[1:].decode(), *one.series[:2], one.cycle)
            ]
            last = told[-1] if told else None
            if one.state in ("running", "paused"):
                assert (last == "breached") == bool(one.breached_ms)
            elif one.state == "cancelled":
                assert last in (None, "voided", "rearmed")
            else:
                assert last in (None, "resolved", "voided", "rearmed")
                if one.elapsed_ms > one.budget_ms:
                    assert "breached" in told
                    assert last == "resolved"


@settings(max_examples=100, deadline=None)
@given(histories(), BOOKS)
def test_elapsed_is_what_the_runs_add_up_to(events, rules):
    story = run([[one] for one in events], rules=rules)

    for key, row in story.rows.items():
        for one in row.clocks if key[:1] == b"s" else ():
            ran = 0
            for start, end in zip(one.runs[::2], one.runs[1::2], strict=True):
                former = [held.calendar for held in one.extra.former if held.until_ms >= end] if one.extra else []
                ran += (OFFICE if [*former, one.calendar][0] == "office" else ALWAYS).elapsed(start, end)
            assert one.elapsed_ms == ran


@settings(max_examples=60, deadline=None)
@given(histories(), BOOKS)
def test_the_counts_of_the_panes_are_those_of_the_clocks(events, rules):
    story = run([[one] for one in events], rules=rules)

    clocks = [one for key, row in story.rows.items() if key[:1] == b"s" for one in row.clocks]
    for rule in rules:
        stopped = [one for one in clocks if one.series.measure == rule.id and one.state == "stopped"]
        total = {}
        for value in ("", "P1", "P2", "P3", "service-desk", "network"):
            for name, number in story.counts(rule.id, (value,), width="day").items():
                total[name] = total.get(name, 0) + number
        assert total.get("met", 0) + total.get("breached", 0) == len(stopped)
        assert total.get("breached", 0) == sum(one.elapsed_ms > one.budget_ms for one in stopped)
        assert total.get("elapsed_ms", 0) == sum(one.elapsed_ms for one in stopped)
        outside = sum(one.extra.outside_ms if one.extra else 0 for one in stopped)
        assert total.get("wall_ms", 0) == sum(one.stop_ms - one.start_ms for one in stopped) - outside


def short_way(row, fact, *until):
    return first_fact("ticket", fact, *until) if row is None else next_fact("ticket", row, fact, *until)


COUNTS = TicketRule(id="counts", by=("priority",), windows=(Window("day"),))
P1_ONLY = Filter(any_of=(("priority", frozenset({"P1"})),))
MORE = st.sampled_from([
    {},
    {"report": Report(required=("priority",))},
    {"report": Report(required=("team",))},
    {"report": Report(required=("priority", "reason"), incomplete_clock="waits")},
    {"tickets": (COUNTS,)},
    {"tickets": (replace(COUNTS, where=P1_ONLY),), "allowed_lateness_ms": 0},
    {"tickets": (COUNTS,), "report": Report(required=("team",)), "covers": P1_ONLY},
    {"covers": Filter(any_of=(("team", frozenset({"network"})),))},
])  # fmt: skip
"""What agreements have beside clocks: fields that they require of reports, tickets that they count."""


@settings(max_examples=600, deadline=None)
@given(histories(), BOOKS, CYCLES, MORE, st.data())
def test_the_short_way_of_the_fold_gives_what_the_whole_one_gives(events, rules, cycles, more, data):
    beside = agreement(*RULES[:2], id="beside", covers=Filter(any_of=(("team", frozenset({"carrier"})),)))
    plan = Plan(Book((replace(covering(rules, cycles), **more), beside), 1))
    arrived = data.draw(st.permutations(events) | st.just(events))
    rows = {}
    for event in arrived:
        judged_ms = data.draw(st.sampled_from([0, event.fact.time_ms, event.fact.time_ms + HOUR_MS // 2]))
        row, until = rows.get(event.subject_id), (judged_ms, plan, 400 * DAY_MS)

        short = short_way(row, event.fact, *until)

        done = step("ticket", event.subject_id, row, [event.fact], *until)
        assert short in (None, (done.row, done.changes))
        assert short is None or not (done.alerts or done.rejected or done.repeats or done.late)
        rows[event.subject_id] = done.row


def test_most_events_go_the_short_way():
    plan = Plan(Book((agreement(*RULES),), 1))
    opened = Fact(MONDAY_MS, 0, "1", "opened", {"priority": "P1"})
    answered = Fact(MONDAY_MS + MINUTE, 0, "2", "responded", {"priority": "P1"})

    row, changes = first_fact("ticket", opened, 0, plan, DAY_MS)
    assert [one.times for one in changes] == [1, 1, 1]
    _, changes = next_fact("ticket", row, answered, 0, plan, DAY_MS)
    assert [one.times for one in changes] == [-1, 1, -1, 1]


def test_an_attribute_that_decides_nothing_goes_the_short_way_and_one_that_decides_does_not():
    plan = Plan(Book((agreement(*RULES),), 1))
    opened = Fact(MONDAY_MS, 0, "1", "opened", {"priority": "P1"})
    row, _ = first_fact("ticket", opened, 0, plan, DAY_MS)
    moved = Fact(MONDAY_MS + MINUTE, 0, "2", "updated", {"channel": "phone"})
    raised = Fact(MONDAY_MS + MINUTE, 0, "2", "updated", {"priority": "P2"})

    after, changes = next_fact("ticket", row, moved, 0, plan, DAY_MS)

    assert after.attributes == {"priority": "P1", "channel": "phone"}
    assert changes == []
    assert next_fact("ticket", row, raised, 0, plan, DAY_MS) is None


def test_a_ticket_that_counts_for_nothing_else_goes_the_short_way_whatever_others_count_for():
    """Given a book that requires fields and counts tickets of P1, when tickets complete and of P2 come, then:"""
    of = {"report": Report(required=("priority",)), "tickets": (replace(COUNTS, where=P1_ONLY),)}
    plan = Plan(Book((agreement(*RULES, **of),), 1))

    def first(**attributes):
        return first_fact("ticket", Fact(MONDAY_MS, 0, "1", "opened", attributes), 0, plan, DAY_MS)

    assert first() is first(priority="") is first(priority="P1") is None
    row, _ = first(priority="P2")
    for brought, is_short in (
        ({}, True),
        ({"agent": "Ada"}, True),
        ({"team": "desk"}, False),
        ({"priority": "P1"}, False),
    ):
        moved = Fact(MONDAY_MS + MINUTE, 0, "2", "assigned", brought)
        assert (next_fact("ticket", row, moved, 0, plan, DAY_MS) is not None) == is_short


def test_facts_of_a_counted_ticket_that_change_no_count_go_the_short_way():
    plan = Plan(Book((agreement(*RULES, tickets=(COUNTS,)),), 1))
    opened = Fact(MONDAY_MS, 0, "1", "opened", {"priority": "P1", "team": "desk"})
    row = step("ticket", "T-1", None, [opened], 0, plan, DAY_MS).row
    assert [one.counts for one in row.shown] == [(("opened", 1),)]

    for kind, brought, is_short in (
        ("assigned", {"team": "desk"}, True), ("resolved", {}, True), ("assigned", {"team": "network"}, False),
        ("cancelled", {}, False), ("reopened", {}, False),
    ):  # fmt: skip
        short = next_fact("ticket", row, Fact(MONDAY_MS + MINUTE, 0, "2", kind, brought), 0, plan, DAY_MS)
        assert (short is not None and short[0].shown == row.shown) == is_short


NETWORKS = Filter(any_of=(("team", frozenset({"network"})),))


def test_a_team_that_no_agreement_names_changes_no_promise():
    """Given an agreement by team, when a ticket that it does not cover changes the team, then:"""
    plan = Plan(Book((agreement(*RULES), agreement(*RULES, id="network", covers=NETWORKS)), 1))
    opened = Fact(MONDAY_MS, 0, "1", "opened", {"priority": "P1", "team": "desk"})
    row, _ = first_fact("ticket", opened, 0, plan, DAY_MS)

    for team, is_short in (("carrier", True), ("network", False)):
        moved = Fact(MONDAY_MS + MINUTE, 0, "2", "assigned", {"team": team})
        assert (next_fact("ticket", row, moved, 0, plan, DAY_MS) is not None) == is_short
    away = Fact(MONDAY_MS + MINUTE, 0, "2", "assigned", {"team": "desk"})
    of_network = step("ticket", "T-1", None, [opened._replace(attributes={"team": "network"})], 0, plan, DAY_MS).row
    assert next_fact("ticket", of_network, away, 0, plan, DAY_MS) is None
    told = row._replace(clocks=[one._replace(ordinal=1) for one in row.clocks])
    assert next_fact("ticket", told, moved._replace(attributes={"team": "x"}), 0, plan, DAY_MS) is None


def test_a_promise_that_a_ticket_without_clocks_has_missed_is_found_by_a_new_fold():
    """Given a ticket that got its customer when it had no clock yet, and clocks when it was opened again, then:"""
    acme = Filter(any_of=(("customer", frozenset({"acme"})),))
    plan = Plan(Book((agreement(*RULES, covers=acme), agreement(*RULES, id="network", covers=NETWORKS)), 1))
    row = None
    for place, (kind, brought) in enumerate([("opened", {}), ("updated", {"customer": "acme"}), ("opened", {})]):
        fact = Fact(MONDAY_MS + place * MINUTE, 0, str(place), kind, brought)
        row = step("ticket", "T-1", row, [fact], 0, plan, DAY_MS).row
    moved = Fact(MONDAY_MS + HOUR_MS, 0, "9", "updated", {"team": "desk"})

    assert next_fact("ticket", row, moved, 0, plan, DAY_MS) is None
