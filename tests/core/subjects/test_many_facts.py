"""Many facts of one subject at once, in any order: what folding them costs, and that the same stands in the end.

arrival  ──▶  opened  f999  f998  f997  …  f2  f1
time     opened  f1  f2  …  f997  f998  f999
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.book import Book
from monitor.core.clocks import stretches as explanation
from monitor.core.clocks.terms import Plan
from monitor.core.facts.events import Event, Fact
from monitor.core.facts.ledger import MAX_FACTS
from monitor.core.subjects import folding
from monitor.core.subjects.step import step
from tests.core.stories import MONDAY_MS, Story, agreement, clock, ticket
from tests.core.stories import ms as at
from tests.core.subjects.test_disorder_laws import cut, standing
from tests.core.subjects.test_subject_laws import (
    BOOKS,
    CHANGING,
    CYCLES,
    DRIVEN,
    MINUTE,
    RULES,
    covering,
    essence,
    histories,
    run,
)

BEFORE_MS = 0
FOR_EVER_MS = 400 * 86_400_000
KINDS = {
    "updates": ("updated",),
    "pauses": ("paused", "resumed"),
    "cycles": ("resolved", "reopened"),
    "priorities": ("priority_changed",),
    "all": ("acknowledged", "responded", "paused", "resumed", "resolved", "reopened", "customer_replied", "assigned"),
}
ORDERS = {
    "backwards": lambda facts: facts[::-1],
    "opened first, then backwards": lambda facts: facts[:1] + facts[:0:-1],
    "the second half first": lambda facts: facts[:1] + facts[500:] + facts[1:500],
}
BY_NAME = {"plain": RULES, "driven": DRIVEN, "changing": CHANGING}


def thousand(kinds):
    """The facts of a ticket, one a minute."""
    brought = {"priority_changed": ("priority", ("P1", "P2")), "assigned": ("team", ("network", "service-desk"))}
    facts = [Fact(MONDAY_MS, 0, "opened", "opened", {"priority": "P1"})]
    for number in range(1, MAX_FACTS):
        kind = kinds[number % len(kinds)]
        name, values = brought.get(kind, ("", ("",)))
        attributes = {name: values[number % len(values)]} if name else {}
        facts.append(Fact(MONDAY_MS + number * MINUTE, number, f"f{number}", kind, attributes))
    return facts


def clocks_of(done):
    return [one._replace(ordinal=0) for one in done.row.clocks]


class Count:
    """Counts the calls of a method."""

    def __init__(self, monkeypatch, of, name):
        self.calls = 0
        method = getattr(of, name)

        def counted(*arguments):
            self.calls += 1
            return method(*arguments)

        monkeypatch.setattr(of, name, counted)


class CountedId(str):
    """An id that counts how often it is compared."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other):
        CountedId.comparisons += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


def test_facts_for_a_full_ledger_are_not_compared_with_each_of_its_facts():
    full = step("ticket", "T-1", None, thousand(KINDS["updates"]), BEFORE_MS, Plan(Book([agreement(clock())])), 0).row
    late = [Fact(MONDAY_MS + n, 0, CountedId(f"late-{n}"), "updated", {}) for n in range(1_000)]
    again = [Fact(MONDAY_MS + n * MINUTE, n, CountedId(f"f{n}"), "updated", {}) for n in range(1, 3)]
    CountedId.comparisons = 0

    done = step("ticket", "T-1", full, [*late, *again], BEFORE_MS, Plan(Book([agreement(clock())])), 0)

    assert [one.reason for one in done.rejected] == ["ledger_full"] * 1_000
    assert done.repeats == 2
    assert CountedId.comparisons < 100


def test_an_id_that_comes_again_within_a_batch_is_known():
    facts = thousand(KINDS["updates"])[:20]
    other = facts[15]._replace(type="paused")

    done = step("ticket", "T-1", None, [*facts, *facts, other], BEFORE_MS, Plan(Book([agreement(clock())])), 0)

    assert done.row.facts == facts
    assert done.repeats == 20
    assert [one.reason for one in done.rejected] == ["id_reused"]


CASES = [
    *((rules, kinds, "opened first, then backwards") for rules in BY_NAME for kinds in KINDS),
    ("plain", "all", "backwards"),
    ("driven", "all", "backwards"),
    ("plain", "all", "the second half first"),
]


@pytest.mark.parametrize(("rules", "kinds", "order"), CASES)
def test_a_thousand_facts_in_any_order_are_applied_a_few_times_each(monkeypatch, rules, kinds, order):
    """And they stand in the end as if they had come in order. Half a million applications before: 11 s of CPU."""
    plan, facts = Plan(Book((covering(BY_NAME[rules]),), 1)), thousand(KINDS[kinds])
    applied = Count(monkeypatch, folding.Folding, "_apply")

    done = step("ticket", "T-1", None, ORDERS[order](facts), BEFORE_MS, plan, FOR_EVER_MS)

    assert applied.calls <= 12 * len(facts)
    assert done.row.facts == facts
    straight = step("ticket", "T-1", done.row._replace(clocks=[], stamp=0), [], BEFORE_MS, plan, FOR_EVER_MS)
    assert clocks_of(done) == clocks_of(straight)


def test_priorities_that_change_a_thousand_times_in_order_are_applied_a_few_times_each(monkeypatch):
    plan, facts = Plan(Book((covering(RULES),), 1)), thousand(KINDS["priorities"])
    applied = Count(monkeypatch, folding.Folding, "_apply")

    done = step("ticket", "T-1", None, facts, BEFORE_MS, plan, FOR_EVER_MS)

    assert applied.calls <= 12 * len(facts)
    assert done.together > 0


@pytest.mark.parametrize("rules", BY_NAME.values(), ids=BY_NAME)
@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
def test_to_fold_a_full_ledger_once_looks_at_each_clock_a_few_times_a_fact(monkeypatch, rules, kinds):
    """With a cycle for each second fact there are hundreds of clocks: those that are over are not looked at again."""
    plan, facts = Plan(Book((covering(rules),), 1)), thousand(kinds)
    first = step("ticket", "T-1", None, facts[:1], BEFORE_MS, plan, FOR_EVER_MS).row
    looked = Count(monkeypatch, Plan, "terms")

    done = step("ticket", "T-1", first._replace(facts=facts, stamp=0), [], BEFORE_MS, plan, FOR_EVER_MS)

    assert looked.calls <= 4 * len(rules) * len(facts) + 10 * len(done.row.clocks)


def test_as_many_late_facts_as_desks_have_are_told_one_by_one():
    """Sixty facts of a ticket backwards, as an audit log lists them: nothing is told together."""
    plan, facts = Plan(Book((covering(RULES),), 1)), thousand(KINDS["all"])[:60]

    assert step("ticket", "T-1", None, facts[:1] + facts[:0:-1], BEFORE_MS, plan, FOR_EVER_MS).together == 0


def test_what_is_told_together_leaves_out_what_only_held_in_between(monkeypatch):
    """A pause of one minute is heard of in the afternoon, its end as the next fact.

    09:00 opened   10:00 paused 10:01 resumed      12:00 at risk   13:00 breached    13:50 updated
    """

    def told_of(late):
        story = Story(agreement(clock())).at("Mon 09:00", ticket("T-1", "opened")).until("Mon 13:10")
        story.at("Mon 13:50", ticket("T-1", "updated"))
        facts = [ticket("T-1", kind).fact._replace(time_ms=at(time)) for time, kind in late]
        effects = story.engine.batch([Event("ticket", "T-1", fact) for fact in facts], at("Mon 14:00"), story.book)
        story.take(effects)
        return story.told()[2:], effects.together

    late = [("Mon 09:05", "updated"), ("Mon 10:00", "paused"), ("Mon 10:01", "resumed")]
    one_by_one = ["rearmed Mon 10:00", "at_risk Mon 12:01", "breached Mon 13:01"]
    assert told_of(late) == (one_by_one, 0)

    monkeypatch.setattr(folding, "MOST_AGAIN", 1)

    assert told_of(late) == ([], 2)
    assert told_of(late[:2]) == (["rearmed Mon 10:00"], 1)


@settings(max_examples=60, deadline=None)
@given(histories(), BOOKS, st.integers(0, 40), st.data())
def test_told_together_or_one_by_one_the_same_stands_in_the_end(events, rules, most, data):
    arrived = cut(data.draw(st.permutations(events)), data)
    one_by_one = run([[one] for one in events], rules=rules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding, "MOST_AGAIN", most)
        story = run(arrived, rules=rules)

    assert essence(story) == essence(one_by_one)
    # Of a summed clock that stops and is reopened in one step, one of both ways may tell the end of the life before.
    summed = {rule.id for rule in rules if rule.cycles == "sum"}
    told, then = (
        {key: states for key, states in standing(one).items() if key.promise not in summed}
        for one in (story, one_by_one)
    )
    assert told == then
    assert len({one.id for one in story.alerts}) == len(story.alerts)


@settings(max_examples=60, deadline=None)
@given(histories(), BOOKS, CYCLES, st.data())
def test_stretches_that_are_cut_from_the_whole_life_of_a_clock_are_those_of_its_alert(events, rules, cycles, data):
    arrived = cut(data.draw(st.permutations(events)), data)
    told = []
    for few in (0, 1_000_000):  # the lives of all clocks of which anything is said, or of none
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(explanation, "_FEW", few)
            told.append(run(arrived, cycles, rules).alerts)

    assert told[0] == told[1]


def test_what_the_newest_fact_takes_back_is_told_with_all_stretches_up_to_that_fact(monkeypatch):
    monkeypatch.setattr(explanation, "_FEW", 0)
    budgets = {"P1": ("30m", "always"), "*": ("2h", "office")}
    promise = clock("acknowledge", budgets, on_change="retroactive", at_risk=("75%",))
    story = Story(agreement(promise)).at("Mon 08:00", ticket("T-1", "opened", priority="P1")).until("Mon 09:00")

    story.at("Mon 10:31", ticket("T-1", "priority_changed", priority="P2"))

    assert story.told() == ["at_risk Mon 08:22:30", "breached Mon 08:30", "rearmed Mon 10:31", "at_risk Mon 10:30"]
    (rearmed,) = [one for one in story.alerts if one.state == "rearmed"]
    assert rearmed.stretches.newest[-1][:3] == (at("Mon 09:00"), at("Mon 10:31"), "counted")


def test_a_life_that_is_told_of_a_thousand_times_is_found_once(monkeypatch):
    """Each reopening of a summed clock that is overdue tells all of it again: 900 alerts in one fold."""
    plan, facts = Plan(Book((covering(RULES, "sum"),), 1)), thousand(KINDS["cycles"])
    read = Count(monkeypatch, explanation, "_counted_or_closed")

    done = step("ticket", "T-1", None, facts[::-1], BEFORE_MS, plan, FOR_EVER_MS)

    assert len(done.alerts) > 800
    assert read.calls <= 2 * len(facts)
