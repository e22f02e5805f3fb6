"""The indicators of IEEE 1366: SAIDI, SAIFI, CAIDI, ASAI, MAIFI, and major event days (domain.md §5)."""

from dataclasses import replace
from math import exp, log
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.measures import CustomerTerms, OutageRule
from monitor.core.outages.customers import FEWEST_DAYS, Counting, beta_threshold, past_days, served_by_all, served_of
from monitor.core.outages.figures import outage_figures
from monitor.core.outages.kind import whole_figures
from monitor.core.pieces import at_once
from monitor.core.series.measured import Stretch
from monitor.core.series.series import Change, OutageRecord, Pane, SeriesKey, empty_pane
from monitor.core.time.spans import Span
from monitor.core.time.units import HOUR_MS
from monitor.core.time.windows import Window
from tests.core.stage import Stage
from tests.core.stories import DAY_MS, Story, agreement, event, ms

MINUTE_MS = 60_000
TERMS = CustomerTerms(served={"*": 1_000})


def out(start, end=None, *steps, number=100, total=0, parent=""):
    """An interruption of customers; steps are (time, customers)."""
    customers = ((ms(start), number), *((ms(time), left) for time, left in steps))
    ended_ms = 0 if end is None else ms(end)
    return OutageRecord(
        "outage", ms(start), restored_ms=ended_ms, customers=customers, customers_total=total, parent=parent
    )


def figures(*records, since="Mon 00:00", to="Tue 00:00", now=None, terms=TERMS, served=1_000, history=()):
    days = {}
    for number, one in enumerate(history):
        days.setdefault(one.start_ms // DAY_MS * DAY_MS, {})[f"H-{number}"] = one
    counting = Counting(terms, served, "UTC", lambda *asked: past_days(asked[0], days.items(), *asked[1:], {}))
    found = outage_figures(
        OutageRule(id="supply", customers=terms), [(f"O-{number}", one) for number, one in enumerate(records)],
        ms(since), ms(to), ms(now or to), None, counting,
    )  # fmt: skip
    return {one.indicator: one for one in found}


def values(*names, **found):
    return [found[name].value for name in names]


def test_saidi_saifi_caidi_and_asai_of_a_worked_example():
    # 1,000 customers: 200 out for 1 h, 100 for 3 h, 500 for half an hour: 750 customer hours, 800 interruptions.
    found = figures(
        out("Mon 01:00", "Mon 02:00", number=200),
        out("Mon 05:00", "Mon 08:00", number=100),
        out("Mon 10:00", "Mon 10:30", number=500),
    )

    assert found["saidi"].value == 0.75 * HOUR_MS
    assert found["saifi"].value == 0.8
    assert found["caidi"].value == found["saidi"].value / found["saifi"].value == 0.9375 * HOUR_MS
    assert found["asai"].value == 1 - 0.75 / 24
    assert (found["saidi"].numerator, found["saidi"].denominator) == (750 * HOUR_MS, 1_000)


def test_stepwise_restoration_integrates_customers_over_time():
    #  400 ── 1 h ── 100 ── 2 h ── restored: 400 + 200 customer hours of 400 customers
    found = figures(out("Mon 01:00", "Mon 04:00", ("Mon 02:00", 100), number=400))

    assert found["saidi"].numerator == 600 * HOUR_MS
    assert found["saifi"].numerator == 400
    assert found["caidi"].value == 1.5 * HOUR_MS


def test_customers_who_come_to_an_outage_later_are_interrupted_then():
    found = figures(out("Mon 01:00", "Mon 04:00", ("Mon 02:00", 400), ("Mon 03:00", 50), number=100))

    assert found["saifi"].numerator == 400
    assert found["saidi"].numerator == (100 + 400 + 50) * HOUR_MS


def test_what_is_shorter_than_momentary_counts_in_maifi_only():
    found = figures(
        out("Mon 01:00", "Mon 01:04", number=300), out("Mon 02:00", "Mon 02:05", number=10), terms=TERMS, served=1_000
    )

    assert found["maifi"].value == 0.3
    assert (found["saifi"].value, found["saidi"].value) == (0.01, 10 * 5 * MINUTE_MS / 1_000), "5 min are sustained"


def test_an_open_outage_counts_once_it_is_too_old_to_be_momentary():
    young = figures(out("Mon 01:00"), now="Mon 01:04")
    old = figures(out("Mon 01:00"), now="Mon 01:05")

    assert (young["saidi"].value, young["maifi"].value) == (0, 0)
    assert (old["saidi"].numerator, old["saifi"].numerator) == (100 * 5 * MINUTE_MS, 100)


def test_golden_an_outage_over_new_year_counts_whole_in_december():
    """48 h for 100 of 100 customers from 31 December 23:00: 2,880 min of SAIDI and CAIDI in December."""
    new_year = out("Mon 23:00", "Wed 23:00", number=100)  # the 31st is a Monday here

    last_day = figures(new_year, now="Fri 00:00", served=100)
    first = figures(new_year, since="Tue 00:00", to="Fri 00:00", now="Fri 00:00", served=100)

    assert values("saidi", "saifi", "caidi", **last_day) == [2_880 * MINUTE_MS, 1, 2_880 * MINUTE_MS]
    assert values("saidi", "saifi", "caidi", **first) == [0, 0, None]


def test_asai_is_never_negative_though_an_interruption_is_longer_than_its_window():
    found = figures(out("Mon 23:00", "Wed 23:00"), now="Thu 00:00", served=100)

    assert (found["asai"].numerator, found["asai"].value) == (0, 0)


def test_an_open_interruption_grows_in_the_window_in_which_it_began_and_says_that_it_is_not_over():
    """Its restoration is not known before it happens: a statement is as of its instant."""
    night = out("Mon 23:00", "Wed 23:00")

    found = figures(night, now="Tue 02:00")
    assert found["saidi"].numerator == 100 * 3 * HOUR_MS
    assert (found["saidi"].formula, found["saifi"].formula) == (
        "sum of r N / N_T; 1 not over",
        "sum of N / N_T; 1 not over",
    )
    assert figures(night, now="Thu 00:00")["saidi"].formula == "sum of r N / N_T"
    assert figures(out("Mon 01:00", "Mon 03:00"), now="Mon 01:02")["maifi"].value == 0, "nobody knows that it is brief"


BY_TIME = CustomerTerms(served={"*": 1_000}, accrues="time")


def test_split_by_time_it_counts_in_the_window_that_it_lies_in_and_customers_where_they_were_interrupted():
    night = out("Mon 23:00", "Tue 02:00", ("Tue 01:00", 300), number=200)

    monday = figures(night, terms=BY_TIME)
    tuesday = figures(night, since="Tue 00:00", to="Wed 00:00", terms=BY_TIME)

    assert (monday["saidi"].numerator, monday["saifi"].numerator) == (200 * HOUR_MS, 200)
    assert (tuesday["saidi"].numerator, tuesday["saifi"].numerator) == (500 * HOUR_MS, 100)


def test_a_consequence_of_a_counted_outage_adds_no_customers():
    found = outage_figures(
        OutageRule(id="supply"),
        {"a": out("Mon 01:00", "Mon 02:00"), "b": out("Mon 01:10", "Mon 02:00", number=40, parent="a")}.items(),
        ms("Mon 00:00"), ms("Tue 00:00"), ms("Tue 00:00"), None, Counting(TERMS, 1_000, "UTC", lambda *_: ()),
    )  # fmt: skip

    assert next(one.numerator for one in found if one.indicator == "saifi") == 100
    assert next(one.value for one in found if one.indicator == "failures") == 1


def test_the_customers_served_are_those_of_the_agreement_or_of_the_newest_outage_that_tells_them():
    assert served_of(CustomerTerms(served={"north": 40, "south": 60}), ("north",)) == 40
    assert served_of(CustomerTerms(served={"north": 40, "south": 60}), ("east",)) is None
    assert served_of(CustomerTerms(served={"*": 70}), ("east",)) == 70
    assert served_of(CustomerTerms(served={"*": 70}), ()) == 70
    assert served_of(CustomerTerms(), ("north",)) == 0

    areas = [(("north", "storm"), {}), (("north", "tree"), {}), (("east", "storm"), {})]
    for served, together in (
        ({"north": 40, "south": 60}, 100),  # the south is served, too
        ({"north": 40, "*": 70}, 110),
        ({"*": 70}, 140),
    ):
        assert served_by_all(CustomerTerms(served=served), areas) == together, "each area once"
    assert served_by_all(CustomerTerms(), areas) is None
    told_by = [
        (("north",), {"a": out("Mon 05:00", total=500), "b": out("Mon 01:00", total=400)}),
        (("south",), {"c": out("Mon 01:00", total=60), "d": out("Mon 02:00")}),
    ]
    assert served_by_all(CustomerTerms(), told_by) == 560
    assert served_by_all(CustomerTerms(served={"*": 70}), [((), {})]) == 70

    told = figures(
        out("Mon 05:00", "Mon 06:00", number=10, total=500), out("Mon 01:00", "Mon 02:00", number=10, total=400),
        out("Mon 07:00", "Mon 08:00", number=10), terms=CustomerTerms(), served=0,
    )  # fmt: skip
    assert told["saifi"].value == 30 / 500


def test_without_a_number_of_customers_there_is_no_average_but_the_length_of_an_interruption():
    found = figures(out("Mon 01:00", "Mon 02:00"), terms=CustomerTerms(), served=0)

    assert values("saidi", "saifi", "asai", "maifi", **found) == [None] * 4
    assert found["caidi"].value == HOUR_MS


def test_an_outage_of_which_no_event_names_the_customers_is_not_one_of_nobody():
    unknown, brief = out("Mon 01:00", "Mon 02:00"), out("Mon 03:00", "Mon 03:01")
    unknown, brief = unknown._replace(customers=()), brief._replace(customers=())
    nobody, known = out("Mon 05:00", "Mon 06:00", number=0), out("Mon 05:00", "Mon 06:00", number=100)

    found = figures(unknown, unknown._replace(start_ms=ms("Mon 01:30")), brief, nobody, known)

    assert values("saidi", "saifi", "caidi", "maifi", **found) == [0.1 * HOUR_MS, 0.1, HOUR_MS, 0]
    assert {name: found[name].lacking for name in ("saidi", "saifi", "caidi", "asai", "maifi")} == {
        "saidi": 2, "saifi": 2, "caidi": 2, "asai": 2, "maifi": 1
    }  # fmt: skip
    assert found["saidi"].formula == "sum of r N / N_T, without 2 outages of unknown customers"
    assert found["maifi"].formula.endswith("/ N_T, without 1 outage of unknown customers")
    assert found["availability"].lacking == 0
    assert figures(nobody)["saidi"].lacking == 0


def test_it_is_lacking_in_the_window_in_which_it_began_or_split_by_time_in_each_that_it_touches():
    unknown = out("Mon 22:00", "Tue 02:00")._replace(customers=())

    def lacking(since, to, terms=TERMS, **more):
        return figures(unknown, since=since, to=to, terms=terms, **more)["saidi"].lacking

    assert [lacking("Mon 00:00", "Tue 00:00"), lacking("Tue 00:00", "Wed 00:00")] == [1, 0]
    assert [lacking("Mon 00:00", "Tue 00:00", BY_TIME), lacking("Tue 00:00", "Wed 00:00", BY_TIME)] == [1, 1]
    assert lacking("Wed 00:00", "Thu 00:00", BY_TIME) == lacking("Sun 00:00", "Mon 00:00", BY_TIME) == 0


def test_figures_without_major_event_days_lack_it_too():
    unknown = out("Mon 01:00", "Mon 02:00")._replace(customers=())
    found = figures(unknown, terms=replace(TERMS, major_days="fixed", major_saidi_ms=HOUR_MS))

    assert {found[name].lacking for name in ("saidi_net", "saifi_net", "caidi_net", "major_event_days")} == {1}


def test_no_interruption_is_a_saidi_of_0_and_no_caidi():
    found = figures()

    assert values("saidi", "saifi", "caidi", "asai", **found) == [0, 0, None, 1]


# -- major event days


def test_a_fixed_threshold_leaves_major_event_days_out():
    terms = CustomerTerms(served={"*": 1_000}, major_days="fixed", major_saidi_ms=60 * MINUTE_MS)
    storm = out("Mon 10:00", "Mon 13:00", number=500)  # 90 min
    usual = out("Tue 10:00", "Tue 11:00", number=500)  # 30 min

    found = figures(storm, usual, to="Wed 00:00", terms=terms)

    assert found["major_event_days"].value == 1
    assert values("saidi", "saifi", **found) == [120 * MINUTE_MS, 1.0]
    assert values("saidi_net", "saifi_net", "caidi_net", **found) == [30 * MINUTE_MS, 0.5, HOUR_MS]


def test_an_outage_belongs_with_all_its_time_to_the_day_on_which_it_began():
    terms = CustomerTerms(served={"*": 1_000}, major_days="fixed", major_saidi_ms=60 * MINUTE_MS)
    night = out("Mon 23:00", "Tue 02:00", number=500)

    found = figures(night, since="Tue 00:00", to="Wed 00:00", terms=replace(terms, accrues="time"))

    assert found["saidi"].value == 60 * MINUTE_MS
    assert (found["saidi_net"].value, found["major_event_days"].value) == (0, 0), "its day was Monday"


BETA = CustomerTerms(served={"*": 1_000}, major_days="beta")


def days_before(minutes):
    """One outage of all customers on each day before the week, of so many minutes; 0: none on that day."""
    return [
        OutageRecord(
            "outage", start, restored_ms=start + length * MINUTE_MS, customers=((start, 1_000),)
        )
        for number, length in enumerate(minutes, 1)
        if (start := ms("Mon 08:00") - number * DAY_MS) and length
    ]  # fmt: skip


def test_the_threshold_is_exp_of_alpha_plus_two_and_a_half_beta():
    daily = [5 + n % 7 for n in range(60)]
    logarithms = [log(minutes * MINUTE_MS) for minutes in daily]
    expected = exp(mean(logarithms) + 2.5 * stdev(logarithms))
    threshold = beta_threshold([minutes * MINUTE_MS for minutes in daily])
    just_below, just_above = (int(expected / MINUTE_MS) + more for more in (0, 1))

    assert threshold == pytest.approx(expected)
    for minutes, major in ((just_below, 0), (just_above, 1)):
        today = out("Mon 10:00", f"Mon 10:{minutes:02}", number=1_000)
        found = figures(today, terms=BETA, history=days_before([*daily, 0, 0, 0]))
        assert found["major_event_days"].value == major
        assert found["saidi_net"].value == (0 if major else minutes * MINUTE_MS)


def test_days_without_interruptions_and_days_of_the_window_itself_give_no_threshold():
    few = days_before([5 + n % 7 for n in range(FEWEST_DAYS - 1)] + [0] * 100)
    own = [out("Mon 10:00", "Mon 20:00", number=1_000)]

    found = figures(*own, terms=BETA, history=[*few, *own])

    assert values("saidi_net", "saifi_net", "caidi_net", "major_event_days", **found) == [None] * 4
    assert found["saidi"].value == 10 * HOUR_MS


def test_what_is_older_than_five_years_gives_no_threshold():
    old = [
        one._replace(
            start_ms=one.start_ms - 5 * 366 * DAY_MS, restored_ms=one.restored_ms - 5 * 366 * DAY_MS,
            customers=((one.start_ms - 5 * 366 * DAY_MS, 1_000),),
        )
        for one in days_before([9] * 40)
    ]  # fmt: skip

    assert figures(terms=BETA, history=old)["major_event_days"].value is None


def test_a_day_that_is_known_is_added_up_again_once_it_changes_or_the_terms_do():
    day, known = {"a": out("Mon 10:00", "Mon 11:00"), "b": out("Mon 12:00")}, {}

    def total(outages, now, terms=BETA):
        return at_once(past_days(terms, [(ms("Mon 00:00"), outages)], ms("Tue 00:00"), ms(now), known))

    assert total(day, "Tue 00:00") == [1_300 * HOUR_MS]
    assert total(day, "Tue 01:00") == [1_400 * HOUR_MS], "one is open: it grows"
    ended = {**day, "b": out("Mon 12:00", "Mon 13:00")}
    assert [total(ended, "Tue 02:00"), total(ended, "Tue 03:00")] == [[200 * HOUR_MS]] * 2
    assert total(ended, "Tue 03:00", CustomerTerms(momentary_ms=2 * HOUR_MS)) == [0]


# -- by the minute

interruptions = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 90), st.lists(st.integers(0, 50), min_size=1, max_size=4)), max_size=5
)


@given(interruptions, st.integers(0, 100), st.integers(101, 300))
def test_customer_time_equals_a_count_minute_by_minute(made, from_minute, to_minute):
    start_ms = ms("Mon 00:00")
    records, counted, interrupted, whole, of_whole = [], 0, 0, 0, 0
    for begin, length, numbers in made:
        steps = [(begin + place * length // len(numbers), number) for place, number in enumerate(numbers)]
        steps = list(dict(steps).items())
        records.append(
            OutageRecord(
                "outage", start_ms + begin * MINUTE_MS, restored_ms=start_ms + (begin + length) * MINUTE_MS,
                customers=tuple((start_ms + minute * MINUTE_MS, number) for minute, number in steps),
            )
        )  # fmt: skip
        if length < 5:
            continue
        before = 0
        for minute in range(begin, begin + length):
            number = [left for at, left in steps if at <= minute][-1]
            if from_minute <= minute < to_minute:
                counted += number
                interrupted += max(0, number - before)
            if from_minute <= begin < to_minute:
                whole += number
                of_whole += max(0, number - before)
            before = number

    def sums(terms, now_minute):
        found = outage_figures(
            OutageRule(id="supply"), [(str(number), one) for number, one in enumerate(records)],
            start_ms + from_minute * MINUTE_MS, start_ms + to_minute * MINUTE_MS, start_ms + now_minute * MINUTE_MS,
            None, Counting(terms, 1_000, "UTC", lambda *_: ()),
        )  # fmt: skip
        return tuple(one.numerator for name in ("saidi", "saifi") for one in found if one.indicator == name)

    assert sums(BY_TIME, 1_000) == (counted * MINUTE_MS, interrupted)
    assert sums(TERMS, 1_000) == (whole * MINUTE_MS, of_whole)


def test_all_areas_together_are_served_by_the_sum_of_their_customers():
    rule = OutageRule(id="supply", by=("service",), customers=CustomerTerms(served={"north": 100, "south": 300}))
    north = {"a": out("Mon 01:00", "Mon 02:00", number=100)}
    of = Stretch(
        agreement(rule), Span(ms("Mon 00:00"), ms("Tue 00:00")), ms("Tue 00:00"), Pane({}, {}, {}, north, {}),
        empty_pane(), parts=[(("north",), north)],
    )  # fmt: skip

    together = {one.indicator: one for one in whole_figures(rule, of, None)}
    alone = {one.indicator: one for one in whole_figures(rule, of, ("north",))}

    assert (together["saidi"].denominator, alone["saidi"].denominator) == (400, 100)
    assert together["saifi"].value == 0.25


def test_the_customers_served_weigh_availability_where_events_do_not_tell_of_how_many_they_are():
    def availability(**attributes):
        story = Story(agreement(SUPPLY_OF_NORTH), subject="outage")
        story.at("Mon 06:00", event("outage", "O-1", "started", service="north", customers_affected=25, **attributes))
        story.at("Mon 12:00", event("outage", "O-1", "restored"))
        records = story.pane(SeriesKey("desk", "supply", ("north",)), "day", ms("Mon 00:00")).outages.items()
        found = outage_figures(SUPPLY_OF_NORTH, records, ms("Mon 00:00"), ms("Tue 00:00"), ms("Tue 00:00"), None)
        return next(one.value for one in found if one.indicator == "availability")

    assert availability() == 1 - 0.25 * 6 / 24, "25 of the 100 served"
    assert availability(customers_total=50) == 1 - 0.5 * 6 / 24, "the event knows better"
    assert availability(severity="minor") == 1 - 0.1 * 6 / 24, "as the agreement weighs its severity"


# -- from events to the windows

SUPPLY_OF_NORTH = OutageRule(
    id="supply", by=("service",), windows=(Window("day"),), weights={"minor": 0.1},
    customers=CustomerTerms(served={"north": 100}),
)  # fmt: skip

SUPPLY = OutageRule(id="supply", by=("service",), windows=(Window("day"),), customers=BETA)


def test_customers_are_kept_only_where_the_agreement_counts_them():
    def kept(rule):
        story = Story(agreement(rule), subject="outage")
        told = {"service": "north", "customers_total": 900}
        story.at("Mon 10:00", event("outage", "O-1", "started", **told))
        story.at("Mon 10:10", event("outage", "O-1", "impact_changed", customers_affected=60))
        story.at("Mon 10:15", event("outage", "O-1", "impact_changed", customers_affected=60))
        story.at("Mon 10:20", event("outage", "O-1", "restored", customers_affected=20))
        story.at("Mon 10:20", event("outage", "O-1", "restored", customers_affected=20, sequence=1))
        story.at("Mon 10:30", event("outage", "O-1", "restored"))
        story.at("Mon 10:40", event("outage", "O-1", "impact_changed", customers_affected=7))
        (change,) = story.row("O-1").shown
        return change.outage[1].customers, change.outage[1].customers_total

    assert kept(OutageRule(id="supply")) == ((), 0)
    assert kept(SUPPLY) == (((ms("Mon 10:00"), 60), (ms("Mon 10:20"), 20)), 900), (
        "the first number holds from the start"
    )


def test_the_days_of_the_past_stay_with_the_evaluator_for_the_threshold():
    stage = Stage(agreement(SUPPLY))
    north = SeriesKey("desk", "supply", ("north",))
    for number, one in enumerate(reversed(days_before([5 + n % 7 for n in range(60)]))):
        stage.change(Change(north, one.start_ms, (), outage=(f"H-{number}", one)), source="outages/0")
    storm = out("Mon 10:00", "Mon 12:00", number=1_000)
    stage.change(Change(north, storm.start_ms, (), outage=("O-1", storm)), source="outages/0")

    stage.restart().look("Mon 18:00")

    assert stage.value("major_event_days", series=north) == 1
    assert stage.value("saidi", series=north) == 2 * HOUR_MS
    assert stage.value("saidi_net", series=north) == 0
