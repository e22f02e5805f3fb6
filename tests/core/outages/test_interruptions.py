"""The indicators of IEEE 1366: SAIDI, SAIFI, CAIDI, ASAI, MAIFI, and major event days (domain.md §5)."""

from math import exp, log
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.measures import CustomerTerms, OutageRule
from monitor.core.outages.customers import FEWEST_DAYS, Counting, beta_threshold, past_days, served_of
from monitor.core.outages.figures import outage_figures
from monitor.core.pieces import at_once
from monitor.core.series.series import Change, OutageRecord, SeriesKey
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


def test_time_counts_in_the_window_that_it_lies_in_and_customers_where_they_were_interrupted():
    night = out("Mon 23:00", "Tue 02:00", ("Tue 01:00", 300), number=200)

    monday, tuesday = figures(night), figures(night, since="Tue 00:00", to="Wed 00:00")

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
    assert served_of(CustomerTerms(served={"north": 40, "south": 60}), None) == 100, "of all series together"
    assert served_of(CustomerTerms(), ("north",)) == 0
    assert served_of(CustomerTerms(), None) is None

    told = figures(
        out("Mon 05:00", "Mon 06:00", number=10, total=500), out("Mon 01:00", "Mon 02:00", number=10, total=400),
        out("Mon 07:00", "Mon 08:00", number=10), terms=CustomerTerms(), served=0,
    )  # fmt: skip
    assert told["saifi"].value == 30 / 500


def test_without_a_number_of_customers_there_is_no_average_but_the_length_of_an_interruption():
    found = figures(out("Mon 01:00", "Mon 02:00"), terms=CustomerTerms(), served=0)

    assert values("saidi", "saifi", "asai", "maifi", **found) == [None] * 4
    assert found["caidi"].value == HOUR_MS


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

    found = figures(night, since="Tue 00:00", to="Wed 00:00", terms=terms)

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
    records, counted, interrupted = [], 0, 0
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
            before = number

    counting = Counting(TERMS, 1_000, "UTC", lambda *_: ())
    found = outage_figures(
        OutageRule(id="supply"), [(str(number), one) for number, one in enumerate(records)],
        start_ms + from_minute * MINUTE_MS, start_ms + to_minute * MINUTE_MS, start_ms + to_minute * MINUTE_MS,
        None, counting,
    )  # fmt: skip

    sums = {one.indicator: one.numerator for one in found}
    assert (sums["saidi"], sums["saifi"]) == (counted * MINUTE_MS, interrupted)


# -- from events to the windows

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
