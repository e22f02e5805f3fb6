"""What follows from the closed months of a series, and what is remembered of it."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.consequence_rules import (
    BreachRule,
    Consequences,
    CreditRule,
    DamageRule,
    TerminationRule,
    Tier,
)
from monitor.core.objectives.consequences import consequences_of
from tests.core.stage import MONTH, P1, P2, Stage, desk, promise
from tests.core.stories import DAY_MS, when

RULES = Consequences(
    currency="EUR",
    fees={"desk": Decimal(1000)},
    credits=(CreditRule("kept", "month", (Tier(0.9, Decimal("0.1")), Tier(0.5, Decimal("0.5"))), "desk"),),
    termination=(TerminationRule("kept", "month", 3, 5),),
    claim_within_ms=30 * DAY_MS,
)
TERMS = desk(MONTH, objectives=[promise(MONTH)], consequences=RULES)


def month(stage, number, good, bad, series=P1):
    """So many clocks stop early in a month; March is number 0."""
    for _ in range(good):
        stage.stopped(f"Mon+{31 * number} 09:00", series=series)
    for _ in range(bad):
        stage.stopped(f"Mon+{31 * number} 09:00", "breached", "9h", series=series)
    return stage


def day_of(number):
    """The fourth of the month after it, when it has closed."""
    return f"Wed+{31 * (number + 1)} 12:00"


def follows(stage):
    return [f"{one.kind} {one.amount}" for status in stage.statements for one in status.consequences]


def rights(stage):
    return [f"{one.state} {one.reason}" for one in stage.alerts if one.key.kind == "termination"]


def test_a_credit_is_decided_when_the_month_closes_and_stands_in_its_statement():
    stage = month(Stage(TERMS), 0, 8, 2).until("Tue+28 23:59")
    assert follows(stage) == []
    stage.until(day_of(0))
    assert follows(stage) == ["credit 100.00"]
    (credit,) = stage.statements[0].consequences
    assert (credit.evidence.numerator, credit.evidence.denominator, credit.version) == (8, 10, 1)
    assert credit.claim_until_ms == stage.statements[0].to_ms + 30 * DAY_MS


def test_what_can_be_claimed_is_shown_by_the_running_month_until_the_claim_ends_also_after_a_restart():
    stage = month(Stage(TERMS), 0, 8, 2).until(day_of(0))
    month(stage, 1, 9, 1).look("Fri+31 12:00").restart().look("Fri+31 12:01")
    assert [one.amount for one in stage.latest("month").consequences] == [100]
    until = when(stage.statements[0].consequences[0].claim_until_ms)
    stage.until(until)
    assert stage.latest("month").consequences == ()
    assert stage.statuses[-1].consequences == ()


def test_three_misses_of_five_months_are_announced_as_a_right_and_the_second_as_a_warning():
    stage = Stage(TERMS)
    for number, bad in enumerate((2, 0, 2, 2, 0, 0, 0, 0)):
        month(stage, number, 8, bad).until(day_of(number)).restart()
    assert rights(stage) == [
        "at_risk one_miss_left", "breached may_terminate", "resolved misses_passed",
    ]  # fmt: skip
    assert len({one.key for one in stage.alerts if one.key.kind == "termination"}) == 1
    alerts = [one for one in stage.alerts if one.key.kind == "termination"]
    assert [(one.value, one.target, one.denominator) for one in alerts] == [(2, 3, 5), (3, 3, 5), (2, 3, 5)]
    assert [one.at_ms for one in alerts][:2] == [stage.statements[2].as_of_ms, stage.statements[3].as_of_ms]
    kinds = [one for one in follows(stage) if one.startswith("termination")]
    assert kinds == ["termination_warning 0.00", "termination_right 0.00"]


def test_a_warning_that_passes_and_comes_again_is_another_cycle():
    stage = Stage(replace(TERMS, consequences=replace(RULES, termination=(TerminationRule("kept", "month", 2, 2),))))
    for number, bad in enumerate((2, 0, 2)):
        month(stage, number, 8, bad).until(day_of(number))
    assert rights(stage) == ["at_risk one_miss_left", "resolved misses_passed", "at_risk one_miss_left"]
    assert [one.key.cycle for one in stage.alerts if one.key.kind == "termination"] == [1, 1, 2]


def test_a_right_stands_in_the_status_until_it_passes():
    stage = Stage(
        replace(TERMS, consequences=replace(RULES, credits=(), termination=(TerminationRule("kept", "month", 1, 2),)))
    )
    month(stage, 0, 0, 2).until(day_of(0))
    month(stage, 1, 2, 0).look("Fri+31 12:00")
    assert [one.kind for one in stage.latest("month").consequences] == ["termination_right"]
    stage.until(day_of(1))
    month(stage, 2, 2, 0).until(day_of(2))
    month(stage, 3, 2, 0).look("Fri+93 12:00")
    assert stage.latest("month").consequences == ()


def test_without_a_claim_window_a_credit_stays_claimable():
    stage = month(Stage(replace(TERMS, consequences=replace(RULES, claim_within_ms=0))), 0, 8, 2).until(day_of(0))
    month(stage, 5, 9, 1).look("Fri+155 12:00")
    assert [one.amount for one in stage.latest("month").consequences] == [100]


def test_a_draft_has_no_consequences():
    assert follows(month(Stage(replace(TERMS, status="draft")), 0, 0, 2).until(day_of(0))) == []


AT_ONCE = replace(
    RULES, credits=(), termination=(), immediate=(BreachRule("a lost month", "kept", "month", 0.5, 45 * DAY_MS),)
)


def test_a_named_breach_is_announced_as_a_right_at_once_and_ends_with_the_time_to_use_it():
    # given a month in which fewer than half were kept, and good ones after it, over restarts
    stage = Stage(replace(TERMS, consequences=AT_ONCE))
    for number, (good, bad) in enumerate(((8, 2), (1, 9), (8, 0), (8, 0), (8, 0))):
        month(stage, number, good, bad).until(day_of(number)).restart()

    # then the first month, missed but not lost, gives no right; the second does, until 45 days after it
    assert rights(stage) == ["breached may_terminate_at_once", "resolved breach_passed"]
    breached, resolved = [one for one in stage.alerts if one.key.kind == "termination"]
    assert breached.key == resolved.key
    assert breached.at_ms == stage.statements[1].as_of_ms
    assert (breached.details, breached.value, breached.target) == ((("breach", "a lost month"),), 1, 1)
    assert resolved.at_ms == stage.statements[3].as_of_ms
    assert [one.breach for status in stage.statements for one in status.consequences] == ["a lost month"]


def test_a_right_at_once_stands_in_the_status_until_its_time_is_over():
    stage = month(Stage(replace(TERMS, consequences=AT_ONCE)), 0, 0, 5).until(day_of(0))
    month(stage, 1, 9, 1).look("Fri+31 12:00").restart().look("Fri+31 12:01")
    (right,) = stage.latest("month").consequences
    assert (right.kind, right.breach) == ("termination_right", "a lost month")
    stage.until(when(right.claim_until_ms))
    assert stage.latest("month").consequences == ()


def test_one_alert_tells_of_both_kinds_of_rights_and_both_stand_in_the_status():
    both = replace(AT_ONCE, termination=(TerminationRule("kept", "month", 2, 3),))
    stage = Stage(replace(TERMS, consequences=both))
    for number, (good, bad) in enumerate(((1, 9), (8, 2), (8, 0), (8, 0), (8, 0))):
        month(stage, number, good, bad).until(day_of(number)).restart()
        if number == 1:
            month(stage, 2, 1, 0).look("Fri+62 12:00")
            standing = {(one.kind, one.breach) for one in stage.latest("month").consequences}
    # The right of the misses outlasts the one of the breach: the alert goes on until neither holds.
    assert rights(stage) == ["breached may_terminate_at_once", "resolved misses_passed"]
    assert standing == {("termination_right", ""), ("termination_right", "a lost month")}


def test_damages_stand_in_the_statement_and_can_be_claimed_like_credits():
    damages = (DamageRule("kept", "month", "per_case", Decimal(40), Decimal(70)),)
    stage = Stage(replace(TERMS, consequences=replace(RULES, credits=(), termination=(), damages=damages)))
    month(stage, 0, 8, 2).until(day_of(0))
    month(stage, 1, 9, 1).look("Fri+31 12:00").restart().look("Fri+31 12:01")

    (stated,) = stage.statements[0].consequences
    assert (stated.kind, stated.amount, stated.payable, stated.bound_by) == ("damages", 80, 70, "rule")
    assert (stated.basis, stated.quantity, stated.rate, stated.evidence.numerator) == ("per_case", 2, 40, 8)
    assert stage.latest("month").consequences == (stated,)
    stage.until(when(stated.claim_until_ms))
    assert stage.latest("month").consequences == ()


@settings(deadline=None, max_examples=10)
@given(
    months=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([P1, P2])), min_size=1, max_size=5),
    restarts=st.sets(st.integers(0, 6)),
    sources=st.randoms(use_true_random=False),
)
def test_any_restart_and_order_of_partials_give_the_same_consequences(months, restarts, sources):
    every_kind = replace(
        RULES,
        damages=(
            DamageRule("kept", "month", "per_case", Decimal(40)),
            DamageRule("kept", "month", "fixed", Decimal(9)),
        ),
        # without an end: a right would end with the next statement, and a month of nothing may have none
        immediate=(AT_ONCE.immediate[0]._replace(within_ms=0),),
    )

    def run(restarts, shuffle):
        stage = Stage(replace(TERMS, consequences=every_kind))
        for number, (good, bad, series) in enumerate(months):
            changes = [("met", "1h")] * good + [("breached", "9h")] * bad
            if shuffle:
                sources.shuffle(changes)
            for outcome, elapsed in changes:
                source = f"tickets/{sources.randint(0, 1)}" if shuffle else "tickets/0"
                stage.stopped(f"Mon+{31 * number} 09:00", outcome, elapsed, series=series, source=source)
            if number in restarts:
                stage.until(day_of(number)).restart()
        stage.until(day_of(len(months)))
        stated = sorted(stage.statements, key=lambda one: (one.to_ms, one.series))
        return stated, sorted(rights(stage)), stage.book

    stated, told, book = run(set(), shuffle=False)
    again, told_again, _ = run(restarts, shuffle=True)
    # a month of nothing may be stated or not, as before
    due = [one for status in stated for one in status.consequences]
    assert [one for status in again for one in status.consequences] == due
    assert told_again == told
    # the worker, replay and simulate decide alike
    assert consequences_of(stated, book) == due
