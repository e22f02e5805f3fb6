"""Interruptions whose sums are kept give the figures of looking at each of them, and a bound that is never too long."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.budget_rule import BudgetRule
from monitor.core.agreements.measures import CustomerTerms, OutageRule
from monitor.core.agreements.objectives import Objective
from monitor.core.outages.customers import Counting, customer_figures, tallied
from monitor.core.outages.interruptions import Kept, Outlook, kept, outlook, tally
from monitor.core.outages.kind import measured
from monitor.core.outages.turning import NEVER, steady_customers_ms
from monitor.core.pieces import at_once, ready
from monitor.core.series.figures import quotient
from monitor.core.series.measured import WindowView
from monitor.core.series.series import OutageRecord, Pane, SeriesKey
from monitor.core.time.spans import Span
from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.core.time.windows import Window
from monitor.core.windows.panes import SeriesPanes
from tests.core.stage import Rows
from tests.core.stories import agreement

MONDAY_MS = 1_772_409_600_000
TUESDAY_MS = MONDAY_MS + DAY_MS
WEEK = MONDAY_MS, MONDAY_MS + 7 * DAY_MS
TERMS = CustomerTerms(served={"*": 100}, major_days="fixed", major_saidi_ms=3 * HOUR_MS)
COUNTING = Counting(TERMS, 100, "UTC", lambda *_: ready(()))


def interruption(start_ms: int, end_ms: int = 0, *customers: tuple[int, int], parent: str = "") -> OutageRecord:
    steps = tuple((start_ms + at_ms, number) for at_ms, number in customers)
    return OutageRecord("outage", start_ms, restored_ms=end_ms, customers=steps, parent=parent)


def kept_by_days(outages: dict[str, OutageRecord], now_ms: int, known: dict[int, Kept] | None = None) -> list[Kept]:
    days: dict[int, dict[str, OutageRecord]] = {}
    for name, one in outages.items():
        days.setdefault(one.start_ms // DAY_MS, {})[name] = one
    found = {day: kept(COUNTING, own, now_ms, (known or {}).get(day)) for day, own in days.items()}
    if known is not None:
        known.update(found)
    return list(found.values())


@st.composite
def weeks(draw) -> dict[str, OutageRecord]:
    """Outages of a week and the day before it; some began before or last on, some are brief, one is maintenance."""
    found = {"works": OutageRecord("maintenance", TUESDAY_MS, restored_ms=TUESDAY_MS + HOUR_MS)}
    for number in range(draw(st.integers(0, 8))):
        start_ms = MONDAY_MS + draw(st.integers(-24, 7 * 24 - 1)) * HOUR_MS
        length_ms = draw(st.sampled_from([0, MINUTE_MS, 5 * MINUTE_MS, 2 * HOUR_MS, 30 * HOUR_MS]))
        steps = [(at * MINUTE_MS, draw(st.integers(0, 60))) for at in draw(st.sets(st.integers(0, 6), max_size=3))]
        found[str(number)] = interruption(start_ms, length_ms and start_ms + length_ms, *sorted(steps))
    return found


@given(weeks(), st.lists(st.integers(0, 8 * 24 * 12), min_size=1, max_size=4))
def test_law_kept_sums_give_the_figures_of_looking_at_each_interruption(outages, instants):
    known: dict[int, Kept] = {}
    days = {}
    for name, one in outages.items():  # the panes are the same from look to look
        days.setdefault(one.start_ms // DAY_MS, {})[name] = one
    for at in sorted(instants):
        now_ms = MONDAY_MS + at * 5 * MINUTE_MS
        panes = [kept(COUNTING, own, now_ms, known.get(day)) for day, own in days.items()]
        known = dict(zip(days, panes, strict=True))
        counted = tally(panes, COUNTING, *WEEK, now_ms)

        assert counted is not None
        only = {name: one for name, one in outages.items() if one.kind == "outage"}
        figures = at_once(customer_figures(COUNTING, only, *WEEK, now_ms))
        assert at_once(tallied(COUNTING, 100, counted, *WEEK, now_ms)) == figures


def promise(indicator: str, target_ms: float, at_risk_ms: float | None = None, **more: BudgetRule) -> Objective:
    return Objective(
        id="o", measure="m", indicator=indicator, comparison="<=", target=target_ms, at_risk=at_risk_ms,
        windows=(Window("week"),), **more,
    )  # fmt: skip


@given(weeks(), st.integers(0, 7 * 24 * 12), st.floats(0, 1), st.sampled_from(["saidi", "saidi_net"]), st.data())
def test_law_no_verdict_changes_within_the_bound(outages, at, share, indicator, data):
    now_ms = MONDAY_MS + at * 5 * MINUTE_MS
    happened = {name: one for name, one in outages.items() if max(one.start_ms, one.restored_ms) <= now_ms}
    last = {name: max((ms for ms, _ in one.customers), default=0) for name, one in happened.items()}
    happened = {name: one for name, one in happened.items() if last[name] <= now_ms}
    target_ms = data.draw(st.integers(1, 6 * HOUR_MS))

    def verdict(of_ms: int) -> tuple[bool, int]:
        figures = at_once(customer_figures(COUNTING, happened, *WEEK, of_ms))
        (figure,) = [one for one in figures if one.indicator == indicator]
        return figure.value > target_ms, figure.lacking

    panes = kept_by_days(happened, now_ms)
    counted = tally(panes, COUNTING, *WEEK, now_ms)
    assert counted is not None
    figures = at_once(tallied(COUNTING, 100, counted, *WEEK, now_ms))
    ahead = outlook(panes, MONDAY_MS, now_ms)
    steady_ms = steady_customers_ms([promise(indicator, target_ms)], figures, ahead, COUNTING, MONDAY_MS, now_ms)

    until_ms = min(WEEK[1] - 1 - now_ms, 0 if steady_ms is None else steady_ms)
    assert verdict(now_ms) == verdict(now_ms + int(max(0, until_ms) * share))


def test_where_one_may_be_the_consequence_of_another_all_are_looked_at():
    parts = {
        "cable": interruption(MONDAY_MS, MONDAY_MS + HOUR_MS, (0, 5)),
        "house": interruption(MONDAY_MS, MONDAY_MS + HOUR_MS, (0, 5), parent="cable"),
    }

    assert tally(kept_by_days(parts, TUESDAY_MS), COUNTING, *WEEK, TUESDAY_MS) is None


def test_a_period_with_a_consequence_in_it_is_measured_all_the_same():
    """The house is without power because the cable is: five customers are interrupted once."""
    rule = OutageRule(id="supply", by=("service",), customers=TERMS, windows=(Window("week"),))
    found = {}
    for parent in ("", "cable"):
        panes = SeriesPanes(SeriesKey("desk", "supply", ("a",)), Rows())
        cable = interruption(MONDAY_MS, MONDAY_MS + HOUR_MS, (0, 5))
        parts = {"cable": cable, "house": cable._replace(parent=parent)}
        panes.replace("outages-0", "day", MONDAY_MS, Pane({}, {}, {}, parts, {}))
        view = WindowView(
            panes, agreement(rule), Window("week"), Span(*WEEK), Span(*WEEK), ("a",), TUESDAY_MS, "UTC", closed=False,
            wanted=frozenset({"saifi"}),
        )  # fmt: skip
        figures = at_once(measured(rule, view)).figures
        found[parent] = next(one.numerator for one in figures if one.indicator == "saifi")

    assert found == {"": 10, "cable": 5}


def test_a_period_that_begins_in_the_middle_of_a_pane_is_looked_at_one_by_one():
    night = {"night": interruption(MONDAY_MS + HOUR_MS, MONDAY_MS + 2 * HOUR_MS, (0, 5))}

    assert tally(kept_by_days(night, TUESDAY_MS), COUNTING, MONDAY_MS + 90 * MINUTE_MS, WEEK[1], TUESDAY_MS) is None
    assert tally(kept_by_days(night, TUESDAY_MS), COUNTING, MONDAY_MS, MONDAY_MS + HOUR_MS, TUESDAY_MS) is None


def test_what_is_over_is_kept_as_long_as_the_pane_is_the_same_and_the_instant_later():
    outages = {"a": interruption(MONDAY_MS, MONDAY_MS + HOUR_MS, (0, 5)), "b": interruption(MONDAY_MS, 0, (0, 1))}
    known = kept(COUNTING, outages, TUESDAY_MS, None)

    assert [one.restored_ms for one in known.others] == [0]
    assert kept(COUNTING, outages, TUESDAY_MS + 1, known) is known
    assert kept(COUNTING, outages, MONDAY_MS + HOUR_MS, known) is not known
    assert kept(COUNTING, dict(outages), TUESDAY_MS, known) is not known
    assert kept(COUNTING._replace(terms=CustomerTerms()), outages, TUESDAY_MS, known) is not known


def test_what_is_known_of_an_instant_that_is_to_come_makes_the_outlook_uncertain():
    later = {"a": interruption(MONDAY_MS, 0, (0, 5), (2 * HOUR_MS, 50))}
    now_ms = MONDAY_MS + HOUR_MS

    assert not outlook(kept_by_days(later, now_ms), MONDAY_MS, now_ms).certain
    assert outlook(kept_by_days(later, now_ms), TUESDAY_MS, now_ms) == Outlook(0, 0, certain=True)


class TestHowLongAVerdictStays:
    OUT = Outlook(6_000_000, 10, certain=True)  # 60 s for each of the 100 customers; 10 are out

    def left_ms(self, *of: Objective, ahead: Outlook = OUT, value_ms: float | None = 60_000, counting=COUNTING, at=0):
        total = 0 if value_ms is None else 100
        figures = [quotient(one, (value_ms or 0) * total, total, "ms", "") for one in ("saidi", "saidi_net", "caidi")]
        return steady_customers_ms(of, figures, ahead, counting, MONDAY_MS, MONDAY_MS + at)

    def test_until_the_customers_that_are_out_use_up_the_target_or_the_warning(self):
        assert self.left_ms(promise("saidi", 120_000)) == 599_999
        assert self.left_ms(promise("saidi_net", 120_000, 90_000)) == 299_999
        assert self.left_ms(promise("saidi", 120_000), ahead=Outlook(6_000_000, 0, certain=True)) == NEVER

    def test_what_was_missed_stays_missed_but_a_day_may_yet_turn_out_to_be_a_major_event(self):
        assert self.left_ms(promise("saidi", 30_000)) == NEVER
        assert self.left_ms(promise("saidi_net", 30_000)) is None

    def test_nobody_knows_where_momentary_interruptions_or_major_days_would_exceed_it_or_of_other_figures(self):
        assert self.left_ms(promise("saidi", 60_000)) is None
        assert self.left_ms(promise("caidi", 120_000)) is None
        assert self.left_ms(promise("asai", 1)) is None
        assert self.left_ms(promise("saidi", 120_000, budget=BudgetRule(period=Window("week")))) is None
        assert self.left_ms(promise("saidi", 120_000), ahead=self.OUT._replace(certain=False)) is None
        assert self.left_ms(promise("saidi", 120_000), counting=COUNTING._replace(served=0)) is None

    def test_without_a_threshold_of_major_days_a_figure_has_no_value_until_an_event(self):
        assert self.left_ms(promise("saidi_net", 120_000), value_ms=None, at=2 * DAY_MS) == NEVER
        assert self.left_ms(promise("saidi_net", 120_000), value_ms=None, at=HOUR_MS) is None
