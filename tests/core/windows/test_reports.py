"""A finished period is reported: once to each receiver, when all of its statements stand and can be read.

March 2026                    April
├── cases ────────────────────┤ month closes 15 min later, then its report is announced
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.agreement import Rights
from monitor.core.agreements.lead_measure import LeadRule
from monitor.core.series.series import Change, SeriesKey
from monitor.core.time.windows import Window
from monitor.core.windows.reports import REPORTS_AT_ONCE, Reports
from tests.core.stage import DAY, MONTH, P2, Stage, promise
from tests.core.stories import DAY_MS, agreement, clock, ms, span, when

CUSTOMER = Rights(("customer",), "month", (), 5 * DAY_MS)
DAILY = Rights(("customer", "board"), "day", ("resolution",))


def desk(*reports, **more):
    return agreement(clock(windows=(DAY, MONTH, Window("tumbling", 3_600_000))), reports=reports, **more)


class Office(Stage):
    """A desk that reports: each look is followed by as many transactions as its reports take."""

    def __init__(self, *agreements):
        super().__init__(*agreements)
        self.reports = Reports(self.rows)
        self.announced = []

    def look(self, time, limit=200):
        before = len(self.statements)
        super().look(time, limit)
        for one in self.statements[before:]:
            self.reports.stated(one, self.book)
        self.announce()
        while self.reports.is_waiting:
            self.announce()
        return self

    def announce(self):
        found = self.reports.finished(self.now, self.book)
        self.announced += found
        return found

    def restart(self):
        self.reports = Reports(self.rows, [key for key in self.rows if key[:1] == b"r"])
        return super().restart()

    def told(self):
        return [f"{one.period} to {one.receiver}: {one.reason} {when(one.as_of_ms)}" for one in self.announced]


def test_a_month_is_reported_once_when_it_is_stated_also_after_restarts():
    office = Office(desk(CUSTOMER)).stopped("Mon 09:00").stopped("Tue 09:00", series=P2).until("Wed+28 00:14")
    assert office.told() == []
    office.restart().until("Wed+28 00:15").restart().until("Thu+28 12:00").restart().until("Fri+28 00:00")

    assert office.told() == ["2026-03 to customer: closed Wed+28 00:15"]
    [one] = office.announced
    assert (one.agreement, one.version, one.window, one.zone, one.statistics) == ("desk", 1, "month", "UTC", ())
    assert (one.from_ms, one.to_ms) == (ms("Mon 00:00") - DAY_MS, ms("Wed+28 00:00"))
    assert one.due_ms == ms("Mon+35 00:00"), "five days after the end of March"


def test_each_receiver_is_told_by_its_own_schedule_of_what_it_may_see():
    more = Rights(("board",), "month", ("resolution",)), Rights(("board",), "month", ("other",), DAY_MS)
    office = Office(desk(CUSTOMER, DAILY, *more)).stopped("Tue 09:00").until("Thu 00:00")
    assert office.told() == [f"2026-03-03 to {who}: closed Wed 00:15" for who in ("customer", "board")]
    office.until("Wed+28 12:00")

    monthly = {one.receiver: one for one in office.announced if one.window == "month"}
    assert [(who, one.statistics) for who, one in monthly.items()] == [
        ("customer", ()), ("board", ("resolution", "other")),
    ]  # fmt: skip
    assert monthly["board"].due_ms == ms("Wed+28 00:15"), "the earlier of its two dates"


@pytest.mark.parametrize(
    "reports", [(), (Rights(("customer",), "quarter"),), (Rights(("customer",), "month", ("other",)),)]
)
def test_what_nobody_may_see_is_announced_to_nobody(reports):
    office = Office(desk(*reports)).stopped("Mon 09:00").until("Wed+28 12:00")
    assert (office.statements != [], office.told(), office.reports.is_waiting) == (True, [], False)


def test_a_report_is_announced_in_a_later_transaction_than_its_statements():
    office = Office(desk(DAILY)).stopped("Mon 09:00")
    Stage.look(office, "Tue 00:15")
    for one in office.statements:
        office.reports.stated(one, office.book)
    assert office.announce() == [], "whoever reads it could not read the statements yet"
    assert office.reports.is_waiting
    assert len(office.announce()) == 2
    assert not office.reports.is_waiting


def test_a_cohort_and_a_late_statement_bring_the_report_again_with_the_reason():
    rule = LeadRule(id="leads", follow_up_within_ms=span("4h"), calendar="office", by=("team",), windows=(MONTH,))
    in_time = promise(MONTH, id="in-time", measure="leads", indicator="follow_up")
    office = Office(agreement(rule, objectives=[in_time], reports=(CUSTOMER,)))
    a, b = (SeriesKey("desk", "leads", (team,)) for team in "ab")
    office.change(Change(a, ms("Tue+28 16:00"), (("handed", 1), ("waiting_beyond", 1)))).until("Thu+28 00:00")
    office.change(Change(b, ms("Tue 16:00"), (("handed", 1), ("followed", 1), ("followed_within", 1))))
    office.until("Fri+28 00:00")

    assert office.told() == [
        "2026-03 to customer: closed Wed+28 00:15",
        "2026-03 to customer: cohort Wed+28 13:15",
        "2026-03 to customer: late Thu+28 00:00",
    ]


def test_a_right_that_was_taken_back_and_an_agreement_that_is_gone_are_told_nothing():
    for amended in ((), (desk(),), (desk(CUSTOMER, terminates_ms=ms("Mon 00:00") - 40 * DAY_MS),)):
        office = Office(desk(CUSTOMER)).stopped("Mon 09:00").until("Wed+28 00:00")
        Stage.look(office, "Wed+28 00:15")
        for one in office.statements:
            office.reports.stated(one, office.book)
        office.amend(*amended)
        assert (office.announce(), office.announce(), office.reports.is_waiting) == ([], [], False)

    office = Office(desk(CUSTOMER)).stopped("Mon 09:00").until("Wed+28 00:00")
    Stage.look(office, "Wed+28 00:15")
    office.amend()
    office.reports.stated(office.statements[0], office.book)
    assert not office.reports.is_waiting


def test_a_period_in_parts_is_reported_under_the_version_at_its_end():
    first = desk(CUSTOMER)
    second = replace(desk(CUSTOMER._replace(to=("customer", "board"))), version=2, valid_from_ms=ms("Wed 00:00"))
    office = Office(first, second).stopped("Mon 09:00").stopped("Thu 09:00").until("Wed+28 12:00")
    assert {(one.period, one.version, one.receiver) for one in office.announced} == {
        ("2026-03", 2, "customer"),
        ("2026-03", 2, "board"),
    }


def test_after_a_long_stop_the_reports_come_some_at_a_time():
    many = [agreement(clock(windows=(DAY,)), id=f"desk-{n:03}", reports=(DAILY,)) for n in range(REPORTS_AT_ONCE + 1)]
    office = Office(*many)
    for one in many:
        office.stopped("Mon 09:00", series=SeriesKey(one.id, "resolution", ("P1",)))
    Stage.look(office, "Tue 00:15")
    for one in office.statements:
        office.reports.stated(one, office.book)

    assert [len(office.announce()) for _ in range(4)] == [0, 2 * REPORTS_AT_ONCE, 2, 0]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("stopped"), st.integers(0, 6), st.sampled_from(("P1", "P2"))),
            st.tuples(st.just("look"), st.integers(0, 9)),
            st.tuples(st.just("cut off"), st.integers(0, 9)),
        ),
        max_size=8,
    )
)
def test_each_statement_is_in_a_report_after_it_and_each_period_closes_once_wherever_the_work_is_cut_off(story):
    office = Office(desk(DAILY))
    announced_of = []
    """By statement, how many reports of its period had been announced when it was made."""

    def reports_of(from_ms):
        return [one for one in office.announced if one.from_ms == from_ms and one.receiver == "board"]

    for what, day, *series in [*story, ("look", 9)]:
        at_ms, done = ms("Mon 00:15") + day * DAY_MS, len(office.statements)
        if what == "stopped":
            office.stopped(when(at_ms), series=SeriesKey("desk", "resolution", tuple(series)))
            continue
        office.now = max(office.now, at_ms)
        Stage.look(office, when(office.now))
        made = [one for one in office.statements[done:] if one.window == "day"]
        announced_of += [(one.from_ms, len(reports_of(one.from_ms))) for one in made]
        for one in made:
            office.reports.stated(one, office.book)
        if what == "cut off":  # after the commit of the statements
            office.restart()
        while what == "look" and office.reports.is_waiting:
            office.announce()

    for from_ms, before in announced_of:
        reports = reports_of(from_ms)
        assert len(reports) > before, "a report after the statement"
        assert len(reports) <= sum(one == from_ms for one, _ in announced_of), "and none without a statement"
        assert {one.reason for one in reports[1:]} <= {"late"}
        if not any(one.to_ms > reports[0].from_ms for one in office.announced[: office.announced.index(reports[0])]):
            assert reports[0].reason == "closed"
