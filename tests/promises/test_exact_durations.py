"""A wait of exactly the target keeps it, from the file of the agreement to the credit in the statement."""

from decimal import Decimal

import pytest

from monitor.core.facts.events import Event, Fact
from monitor.replay.local import run_replay
from tests.replay.desk import book, ms

LINE = """
agreement: line
calls:
  - {id: helpline, answer_within: 20s, by: [], windows: [month]}
objectives:
  - {id: patient, of: helpline, indicator: INDICATOR, target: "<= 2m", windows: month}
consequences:
  currency: EUR
  fees: {line: 1000}
  credits:
    - {objective: patient, fee: line, tiers: [{above: 2m, credit: 10 %}, {above: 10m, credit: 50 %}]}
"""


def called(*waits_ms):
    """Calls on the 2nd of January, one a minute, each answered after its wait."""
    for number, wait_ms in enumerate(waits_ms):
        at_ms = ms("2024-01-02T09:00:00") + number * 60_000
        for kind, time_ms in (("queued", at_ms), ("answered", at_ms + wait_ms)):
            yield Event("call", f"C{number}", Fact(time_ms, 0, f"C{number}-{kind}", kind, {}))


def january(indicator, waits_ms):
    found = run_replay(
        [*called(*waits_ms)], book(LINE.replace("INDICATOR", indicator)), until_ms=ms("2024-02-01T06:00:00")
    )
    (statement,) = found.statements
    figure = next(one for one in statement.figures if one.indicator == indicator)
    return figure.value, statement.verdicts[0].verdict, [one.amount for one in statement.consequences]


@pytest.mark.parametrize("indicator", ["longest", "p95", "p50"])
def test_one_wait_of_exactly_two_minutes_keeps_two_minutes_and_grants_no_credit(indicator):
    assert january(indicator, [120_000]) == (120_000, "met", [])


@pytest.mark.parametrize("indicator", ["longest", "p95", "p50"])
def test_a_millisecond_more_is_a_miss_and_grants_one(indicator):
    assert january(indicator, [120_001]) == (120_001, "breached", [Decimal("100.00")])


def test_among_many_waits_the_percentile_is_judged_by_those_beyond_the_target_not_by_its_estimate():
    """Of 100 waits number 95 decides: it is the first of five that last exactly two minutes, or a millisecond more."""
    rest = [20_000] * 94, [121_000]
    value, *kept = january("p95", [*rest[0], *[120_000] * 5, *rest[1]])
    assert (value, kept) == (120_000, ["met", []])

    value, *broken = january("p95", [*rest[0], *[120_001] * 5, *rest[1]])
    assert 120_000 < value < 121_000
    assert broken == ["breached", [Decimal("100.00")]]


def test_a_percentile_of_exactly_a_tiers_bound_is_credited_by_the_tier_before_it():
    waits = [20_000] * 94, [700_000]
    assert january("p95", [*waits[0], *[600_000] * 5, *waits[1]])[1:] == ("breached", [Decimal("100.00")])
    assert january("p95", [*waits[0], *[600_001] * 5, *waits[1]])[1:] == ("breached", [Decimal("500.00")])
