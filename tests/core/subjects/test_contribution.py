"""Who contributed to the elapsed time of a clock."""

from hypothesis import given, settings

from monitor.core.clocks import clock as clocks
from monitor.core.clocks.terms import Plan
from monitor.core.subjects.contribution import contribution
from monitor.core.subjects.explanation import explain
from tests.core.stories import Story, agreement, clock, ms, span, ticket, when
from tests.core.subjects.test_subject_laws import BOOKS, END_MS, histories, run


def terms_of(story, one):
    return Plan(story.book).terms(one)


def test_the_time_of_a_clock_is_split_by_who_had_it_and_in_which_state_it_was():
    story = Story(agreement(clock(budgets={"*": "40h"}, calendar="office", pause_on=frozenset({"customer"}))))
    story.at("Mon 16:00", ticket("T-1", "opened")).at("Tue 10:00", ticket("T-1", "assigned", team="desk", agent="Kim"))
    story.at("Tue 11:00", ticket("T-1", "responded")).at("Tue 12:00", ticket("T-1", "paused", reason="customer"))
    story.at("Tue 13:00", ticket("T-1", "resumed")).at("Tue 13:30", ticket("T-1", "paused", reason="supplier"))
    story.at("Tue 14:00", ticket("T-1", "resumed")).at("Tue 14:30", ticket("T-1", "assigned", team="network"))

    one = story.clocks("T-1")[0]
    found = contribution(story.row("T-1").facts, one, terms_of(story, one), ms("Wed 10:00"))

    assert found.elapsed_ms == span("9h")
    assert found.teams == {"unassigned": span("2h"), "desk": span("3h30m"), "network": span("3h30m")}
    assert found.agents == {"unassigned": span("2h"), "Kim": span("7h")}
    assert found.states == {
        "new": span("2h"), "assigned": span("4h30m"), "in_progress": span("2h"), "waiting": span("30m"),
    }  # fmt: skip
    assert found.reasons == {"": span("8h30m"), "supplier": span("30m")}


@settings(max_examples=60, deadline=None)
@given(histories(), BOOKS)
def test_the_shares_of_all_clocks_add_up_to_what_has_elapsed(events, rules):
    story = run([[one] for one in events], rules=rules)

    for key, row in story.rows.items():
        for one in row.clocks if key[:1] == b"s" else ():
            of = terms_of(story, one)
            found = contribution(row.facts, one, of, END_MS)
            elapsed_ms = clocks.elapsed_at(one, END_MS, of.calendar)
            assert found.elapsed_ms == elapsed_ms
            assert {sum(shares.values()) for shares in found[1:]} == {elapsed_ms}


@settings(max_examples=60, deadline=None)
@given(histories(), BOOKS)
def test_the_counted_stretches_of_an_explanation_add_up_to_what_has_elapsed(events, rules):
    story = run([[one] for one in events], rules=rules)

    for key, row in story.rows.items():
        for one in row.clocks if key[:1] == b"s" else ():
            told = explain(row, one, terms_of(story, one), END_MS)
            counted = sum(part.end_ms - part.start_ms for part in told.stretches if part.kind == "counted")
            assert counted == told.elapsed_ms


def test_a_clock_of_states_is_explained_by_the_states_outside():
    rule = clock("time_in", {"*": "8h"}, states=frozenset({"waiting:supplier"}))
    story = Story(agreement(rule)).at("Mon 09:00", ticket("T-1", "opened"))
    story.at("Mon 10:00", ticket("T-1", "paused", reason="supplier")).at("Mon 11:00", ticket("T-1", "resumed"))

    told = explain(story.row("T-1"), story.clocks("T-1")[0], terms_of(story, story.clocks("T-1")[0]), ms("Mon 12:00"))

    assert [(when(part.start_ms), part.kind, part.reason) for part in told.stretches] == [
        ("Mon 10:00", "counted", ""), ("Mon 11:00", "outside", "new"),
    ]  # fmt: skip
    assert told.wall_ms == span("1h")
