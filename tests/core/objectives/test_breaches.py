"""A named kind of breach lets the customer terminate at once, without a warning, as long as the right is not over."""

from monitor.core.agreements.book import Book
from monitor.core.agreements.consequence_rules import BreachRule, Consequences, TerminationRule
from monitor.core.objectives.consequences import breach_place, consequences_of, decide
from tests.core.objectives.test_consequences import DAY_MS, month_ms, network, statement

BLACKOUT = BreachRule("blackout", "up", "month", 0.95, 45 * DAY_MS)


def test_a_month_below_the_bound_gives_the_right_at_once_with_its_evidence():
    version = network(credits=(), immediate=(BLACKOUT,))

    found = consequences_of([statement(0.96), statement(0.94, 1), statement(1.0, 2)], Book((version,), 1))

    (right,) = found
    assert (right.kind, right.breach, right.tier, right.from_ms) == ("termination_right", "blackout", 0.95, month_ms(1))
    assert (right.evidence.value, right.evidence.misses) == (0.94, (month_ms(1),))
    assert right.claim_until_ms == month_ms(2) + 45 * DAY_MS
    assert right.payable == 0


def test_a_figure_at_the_bound_is_not_beyond_it_and_without_a_bound_any_miss_is_a_breach():
    at_bound = network(credits=(), immediate=(BLACKOUT,))
    any_miss = network(credits=(), immediate=(BLACKOUT._replace(bound=None, within_ms=0),))

    assert consequences_of([statement(0.95)], Book((at_bound,), 1)) == []
    (right,) = consequences_of([statement(0.95)], Book((any_miss,), 1))
    assert (right.tier, right.claim_until_ms) == (0.9995, 0)
    assert consequences_of([statement(0.95, verdict="low_sample")], Book((any_miss,), 1)) == []


def test_the_right_holds_until_the_time_to_use_it_is_over_and_a_new_breach_renews_it():
    version = network(credits=(), immediate=(BLACKOUT,))
    misses, standing = {}, []
    for number, value in enumerate((0.9, 1.0, 1.0, 0.9, 0.9, 1.0, 1.0)):
        decision = decide(statement(value, number), version, misses)
        misses = decision.misses
        standing.append(decision.breaches["up"])

    # 45 days from the end of January end in March, before that month closes
    assert standing == [("blackout",), ("blackout",), (), ("blackout",), ("blackout",), ("blackout",), ()]
    assert misses == {breach_place(BLACKOUT): ()}


def test_without_a_time_limit_the_right_stays():
    version = network(credits=(), immediate=(BLACKOUT._replace(within_ms=0),))
    misses = decide(statement(0.9), version, {}).misses
    assert decide(statement(1.0, 30), version, misses).breaches == {"up": ("blackout",)}


def test_it_stands_beside_k_of_n_and_several_kinds_have_rights_of_their_own():
    worse = BreachRule("total loss", "up", "month", 0.5)
    version = network(credits=(), termination=(TerminationRule("up", "month", 2, 3),), immediate=(BLACKOUT, worse))

    decision = decide(statement(0.9), version, {})
    assert decision.standing == {"up": "termination_warning"}
    assert decision.breaches == {"up": ("blackout",)}
    assert [(one.kind, one.breach) for one in decision.consequences] == [
        ("termination_warning", ""), ("termination_right", "blackout"),
    ]  # fmt: skip
    assert decide(statement(0.4), version, {}).breaches == {"up": ("blackout", "total loss")}


def test_a_kind_that_is_judged_by_another_period_or_on_a_lost_objective_says_nothing():
    rules = (BLACKOUT._replace(window="year"), BreachRule("gone", "gone", "month"))
    assert decide(statement(0.9), network(credits=(), immediate=rules), {}) == ([], {}, {}, {})


def test_an_agreement_with_a_kind_of_breach_alone_has_consequences():
    assert Consequences(immediate=(BLACKOUT,))
