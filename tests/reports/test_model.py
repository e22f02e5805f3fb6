"""What a report says: the figures of the statements, and what they do not tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.core.objectives.budget import BudgetFigure
from monitor.core.objectives.status import judged_figure
from monitor.core.time.units import DAY_MS, HOUR_MS
from monitor.errors import ReportError
from monitor.replay.local import run_replay
from monitor.reports.forms import write
from monitor.reports.model import make_report
from monitor.reports.period import parse_period
from monitor.reports.scope import scope_of
from monitor.reports.sources import from_replay
from monitor.wire.times import instant
from tests.replay.desk import ms
from tests.reports.desk import AGREEMENT, FORMULA, HOSTILE, book, desk_events, replayed, report, sources


def test_each_objective_stands_as_it_was_stated():
    result, _ = replayed()
    stated = {
        (one.series.measure, one.series.values, verdict.objective): (verdict, judged_figure(one, verdict))
        for one in result.statements
        if one.window == "month" and one.from_ms == ms("2024-01-31T23:00")
        for verdict in one.verdicts
    }
    made = report()
    rows = [row for part in made.objectives for row in part.rows]

    assert len(rows) == len(stated) == 4
    for row in rows:
        assert (row.verdict, row.figure) == stated[row.measure, tuple(row.labels.values()), row.objective]
    assert (made.kept, made.missed, made.undecided) == (0, 2, 0)
    assert made.period.title == "February 2024"


def test_the_worst_series_comes_first_with_the_periods_before_it():
    (resolved, _) = report().objectives
    assert resolved.worst.labels == {"customer": HOSTILE}
    acme = next(one for one in resolved.rows if one.labels == {"customer": "acme"})
    assert [(one.name, one.value, one.verdict) for one in acme.past] == [
        ("2024-01", 1.0, "met"),
        ("2024-02", 0.5, "breached"),
    ]
    assert acme.inner[0].window == "day"
    assert (acme.inner[0].kept, acme.inner[0].missed) == (1, 10)  # T6 is overdue on each day


def test_a_series_of_too_small_a_sample_takes_nothing_from_an_objective_that_the_others_keep():
    (resolved, _) = report().objectives
    kept = resolved.rows[-1]
    small = replace(kept, verdict=kept.verdict._replace(verdict="low_sample"))
    part = replace(resolved, rows=(small, kept))
    assert (part.verdict, part.worst) == ("met", kept)
    assert replace(resolved, rows=(small,)).verdict == "low_sample"


def test_missed_clocks_are_told_with_their_overrun_and_with_whom_the_time_was():
    part = report().breaches
    assert [(one.subject, one.promise, one.is_open) for one in part.rows[:1]] == [("T6", "inner", True)]
    late = next(one for one in part.rows if one.subject == "T3" and one.promise == "resolution")
    assert (late.allowed_ms, late.over_ms, late.done_ms) == (HOUR_MS, 3.5 * HOUR_MS, ms("2024-02-05T14:30"))
    assert late.reason.startswith(FORMULA)
    assert {one.name for one in part.shares} >= {"first line", FORMULA}
    assert sum(one.part for one in part.shares) == pytest.approx(1)


def test_an_outage_announced_maintenance_and_blind_time_stand_on_the_axis():
    (axis,) = report().outages
    assert [(one.kind, one.from_ms, one.length_ms) for one in axis.stretches] == [
        ("outage", ms("2024-02-10T10:00"), 5 * HOUR_MS),
        ("maintenance", ms("2024-02-15T01:00"), 2 * HOUR_MS),
        ("blind", ms("2024-02-20T00:00"), 6 * HOUR_MS),
    ]
    assert any("6 h of 696 h" in one.text for one in report().notes)


def test_a_credit_comes_with_its_claim_date():
    (due,) = report().dues
    assert (due.consequence.kind, str(due.consequence.payable)) == ("credit", "100.00")
    assert {currency: str(one) for currency, one in report().payable.items()} == {"EUR": "100.00"}
    assert due.consequence.claim_until_ms == due.consequence.to_ms + 30 * DAY_MS


def test_what_is_not_in_the_report_is_said():
    made = report()
    assert [(one.number, one.detail) for one in made.excluded] == [(1, "bad_time")]
    assert "24h" in next(one.text for one in made.notes if one.title == "usual")


def test_leads_have_both_graphs_and_the_calculation_as_agreed_and_as_it_happened():
    (part,) = report("sales").leads
    assert [(one.to_ms, one.leads) for one in part.speed if one.leads] == [
        (15 * 60_000, 1),
        (30 * 60_000, 1),  # exactly the time promised: kept
        (HOUR_MS, 1),
    ]
    assert [one.kept for one in part.speed if one.leads] == [True, True, False]
    assert part.waiting == 1
    assert [one.leads for one in part.depth] == [1, 1, 1, 1, 0, 0, 0]
    terms = {one.name: (one.agreed, one.measured) for one in part.goal}
    assert terms["= leads needed, rounded up"] == (10.0, 40.0)
    assert terms["/ leads that become customers"] == (0.5, 0.25)
    assert (part.days[-1].delivered, part.days[-1].needed) == (4.0, 10.0)
    assert len(part.days) == 29


@pytest.mark.parametrize(
    ("text", "window", "start", "title"),
    [
        ("2024-02", "month", "2024-01-31T23:00", "February 2024"),
        ("2024-Q4", "quarter", "2024-09-30T22:00", "October to December 2024"),
        ("2024-W01", "week", "2023-12-31T23:00", "week 1 of 2024 (1 to 7 January)"),
        ("2024-W05", "week", "2024-01-28T23:00", "week 5 of 2024 (29 January to 4 February)"),
        ("2024", "year", "2023-12-31T23:00", "2024"),
        ("2024-03-31", "day", "2024-03-30T23:00", "31 March 2024"),
    ],
)
def test_periods_are_named_as_people_name_them(text: str, window: str, start: str, title: str):
    found = parse_period(text, "Europe/Berlin")
    assert (found.window, found.name, found.from_ms, found.title) == (window, text, ms(start), title)


@pytest.mark.parametrize("text", ["2024-13", "2024-W60", "2024-Q5", "last", "2024-02-30", ""])
def test_what_is_no_period_is_refused_with_the_grammar(text: str):
    with pytest.raises(ReportError, match="2026-Q4"):
        parse_period(text, "UTC")


def test_the_newest_closed_period_is_reported_unless_another_is_asked_for():
    assert report(period=None).period.name == "2024-02"


def test_a_running_period_is_reported_as_such():
    made = report(period="2024-03")
    assert not made.is_closed
    assert made.notes[0].title == "The period runs"


def test_a_running_period_says_when_its_error_budget_is_used_up():
    found = sources()
    (month,) = [one for one in found.running if one.window == "month" and one.series.measure == "network"]
    objective = month.verdicts[0].objective
    ran_ms = month.as_of_ms - month.from_ms
    budget = BudgetFigure(objective, "events", "ms", 100.0, 50.0, 50.0, 0.5, exhausted=False)
    ran = month._replace(budgets=(budget,), to_ms=month.as_of_ms + 2 * ran_ms)
    running = [ran if one is month else one for one in found.running]

    made = make_report(replace(found, running=running), scope_of(found, "desk", "2024-03"))
    (row,) = [row for part in made.objectives if part.id == objective for row in part.rows]

    assert row.forecast == f"used up {instant(month.as_of_ms + ran_ms, 'Europe/Berlin')} at this pace"
    assert f"error budget used: 50 %, {row.forecast}" in write(made, "html").decode()


def test_a_period_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ReportError, match=r"desk has no period 2023-07; closed: .*2024-02.*; running: .*2024-03"):
        scope_of(sources(), "desk", "2023-07")


def test_an_unknown_agreement_is_refused_with_those_that_are():
    with pytest.raises(ReportError, match=r"there is no agreement 'other'; there are: desk"):
        scope_of(sources(), "other", None)


def test_a_customer_sees_its_own_series_of_what_it_may_see_and_nothing_else():
    made = report(customer="acme")
    assert [(row.measure, row.labels) for part in made.objectives for row in part.rows] == [
        ("resolution", {"customer": "acme"})
    ]
    assert {(one.subject, one.promise) for one in made.breaches.rows} == {("T6", "resolution")}
    assert not made.outages
    assert not made.dues
    assert not made.rejections
    assert {one.id for one in made.promises} == {"resolution", "resolved", "usual"}
    assert not any(one.where for one in made.promises), "that would name other customers"
    assert {one.about for one in made.figures} == {"customer acme"}


def test_a_customer_without_figures_is_refused_with_those_that_have_some():
    with pytest.raises(ReportError, match=r"no figures of customer 'emca' alone; there are: .*acme"):
        scope_of(sources(), "desk", "2024-02", "emca")


def test_what_is_granted_but_not_split_by_customer_is_shown_to_the_customer():
    """Given a desk that grants its customer the statistics of the network, which has services, not customers."""
    granted = book(AGREEMENT.replace("statistics: [resolution]", "statistics: [network]"))
    given = from_replay(run_replay(desk_events(), granted), granted, "desk.csv")
    made = make_report(given, scope_of(given, "desk", "2024-02", "acme"))
    assert [one.about for one in made.outages] == ["service ring"]
    assert [part.id for part in made.objectives] == ["available"]
    assert made.breaches.rows == ()


def test_a_customer_to_whom_nothing_is_promised_sees_nothing():
    with pytest.raises(ReportError, match="grants them under 'reports'"):
        scope_of(sources("sales"), "sales", "2024-02", "acme")
    with pytest.raises(ReportError, match="no statistics of a day"):
        scope_of(sources(), "desk", "2024-02-05", "acme")
