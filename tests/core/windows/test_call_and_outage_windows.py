"""Windows of calls and outages."""

import pytest

from monitor.core.agreements.measures import CallRule, Filter, OutageRule
from monitor.core.series.series import LIVE, Change, OutageRecord, SeriesKey
from tests.core.stage import DAY, HOUR, HOUR_MS, MONTH, Stage, figure, promise
from tests.core.stories import agreement, ms, when

# -- calls

CALLS = CallRule(id="calls", by=("queue",), windows=(HOUR, DAY), answer_within_ms=20_000)
SUPPORT = SeriesKey("desk", "calls", ("support",))


def test_calls_of_all_sources_make_one_service_level():
    stage = Stage(agreement(CALLS))
    for source, within in (("calls/0", 3), ("calls/1", 1)):
        for number in range(4):
            counts = (("answered", 1), ("wait_ms", 9_000), *((("answered_within", 1),) if number < within else ()))
            stage.change(Change(SUPPORT, ms("Mon 09:00"), counts, 9_000), source)
    stage.look("Mon 09:01")
    assert stage.value("SL3", "1h", SUPPORT) == 0.5
    assert stage.value("asa", "1h", SUPPORT) == 9_000


def test_the_longest_wait_is_that_of_the_oldest_call_of_all_sources():
    stage = Stage(agreement(CALLS))
    stage.change(Change(SUPPORT, LIVE, (("waiting", 1),), call=("c1", ms("Mon 09:00:30"))), "calls/0")
    stage.change(Change(SUPPORT, LIVE, (("waiting", 1),), call=("c2", ms("Mon 09:00:10"))), "calls/1")
    stage.look("Mon 09:01")
    assert stage.latest("1h", SUPPORT).live == {"waiting": 2, "longest_wait_ms": 50_000}


def test_that_a_waiting_call_grows_older_is_no_news():
    stage = Stage(agreement(CALLS))
    stage.change(Change(SUPPORT, LIVE, (("waiting", 1),), call=("c1", ms("Mon 09:00"))))
    stage.look("Mon 09:01")
    sent = len(stage.statuses)
    stage.evaluator.touch_all()
    stage.look("Mon 09:02")
    assert len(stage.statuses) == sent
    assert stage.latest("1h", SUPPORT).live["longest_wait_ms"] == 120_000


# -- outages

RING = SeriesKey("desk", "ring", ())


def ring(*windows, **more):
    return agreement(OutageRule(id="ring", windows=windows), **more)


def outage(start, end=None, name="o1"):
    record = OutageRecord("outage", ms(start), restored_ms=ms(end) if end else 0, weights=((ms(start), 1.0),))
    return Change(RING, ms(start), (), outage=(name, record))


def test_that_availability_changes_with_each_second_is_news_once_a_minute():
    objectives = [promise(DAY, measure="ring", indicator="availability", target=0.95)]
    stage = Stage(ring(DAY, objectives=objectives))
    stage.change(outage("Mon 10:00")).change(Change(RING, LIVE, (("open", 1),), call=("o1", ms("Mon 10:00"))))
    stage.look("Mon 10:00:05")
    for second in range(6, 60):
        stage.evaluator.touch_all()
        stage.look(f"Mon 10:00:{second:02}")
    assert [when(one.as_of_ms) for one in stage.statuses] == ["Mon 10:00:05"]
    assert stage.value("downtime", series=RING) == 59_000, "it is known, though not told"
    stage.until("Mon 10:03")
    assert [when(one.as_of_ms) for one in stage.statuses][1:] == ["Mon 10:01:05", "Mon 10:02:05"]


def test_a_new_outage_its_end_and_a_missed_target_are_news_at_once():
    objectives = [promise(DAY, measure="ring", indicator="availability", target=0.95)]
    stage = Stage(ring(DAY, objectives=objectives))
    opened = Change(RING, LIVE, (("open", 1),), call=("o1", ms("Mon 10:00")))
    stage.change(outage("Mon 10:00")).change(opened).look("Mon 10:31:30")
    for time in ("Mon 10:31:34", "Mon 10:31:35", "Mon 10:31:36"):  # 5 % of what has passed
        stage.evaluator.touch_all()
        stage.look(time)
    assert [(when(one.as_of_ms), one.verdicts[0].verdict) for one in stage.statuses] == [
        ("Mon 10:31:30", "on_track"), ("Mon 10:31:35", "breached")
    ]  # fmt: skip
    stage.change(opened.undone()).change(outage("Mon 10:00").undone()).change(outage("Mon 10:00", "Mon 10:31:36"))
    stage.look("Mon 10:31:37")
    assert [(when(one.as_of_ms), one.live["open"]) for one in stage.statuses][2:] == [("Mon 10:31:37", 0)]


@pytest.mark.parametrize("window", [DAY, HOUR], ids=["period", "rolling"])
def test_steps_that_are_ahead_of_the_instant_of_a_look_are_told_when_it_has_got_there(window):
    """A source that is behind holds the instant back to its watermark; then it is not, and no event follows.

    09:00:00 ═══ 09:00:40 ─┊──── 09:01:10 ═══ 09:01:20
                 look at 09:01 ┘      nothing is open, nothing comes
    """
    stage = Stage(ring(window))
    for name, start, end in (("o1", "Mon 09:00", "Mon 09:00:40"), ("o2", "Mon 09:01:10", "Mon 09:01:20")):
        at, until = ms(start), ms(end)
        record = OutageRecord("outage", at, until, until, until, until, weights=((at, 1.0),))
        stage.change(Change(RING, at, (), outage=(name, record)))

    def resolved():
        latest = stage.statuses[-1]
        return next((one.value, one.denominator) for one in latest.figures if one.indicator == "mttr_resolve")

    stage.look("Mon 09:01")
    assert resolved() == (40_000, 1)
    stage.until("Mon 09:02:20")
    assert resolved() == (25_000, 2), "told, not only known an hour later"


def test_availability_falls_while_an_outage_lasts():
    stage = Stage(ring(DAY, objectives=[promise(DAY, measure="ring", indicator="availability", target=0.95)]))
    stage.change(outage("Mon 10:00")).change(Change(RING, LIVE, (("open", 1),), call=("o1", ms("Mon 10:00"))))
    stage.until("Mon 12:00")
    assert stage.value("availability", series=RING) == pytest.approx(10 / 12)
    assert stage.latest(series=RING).live == {"open": 1, "oldest_ms": 2 * HOUR_MS, "blind": 0}
    # 5 % of what has passed: noticed within the minute
    assert stage.told() == ["breached below_target Mon 10:32"]


def test_an_outage_that_began_before_the_window_counts_in_it():
    stage = Stage(ring(DAY)).change(outage("Mon 18:00", "Tue 06:00")).until("Tue 12:00")
    assert stage.value("availability", series=RING) == 0.5
    assert stage.value("failures", series=RING) == 0
    assert figure(stage.statements[0], "availability") == 0.75


def test_a_service_goes_on_being_available_long_after_its_last_outage():
    stage = Stage(ring(MONTH)).change(outage("Mon 09:00", "Mon 10:00")).until("Mon+140 00:00")
    assert stage.value("availability", "month", RING) == 1
    assert [figure(one, "availability") for one in stage.statements[1:]] == [1, 1, 1]


def test_an_outage_that_is_still_open_is_not_forgotten():
    stage = Stage(ring(DAY)).change(outage("Mon 12:00"))
    stage.change(Change(RING, LIVE, (("open", 1),), call=("o1", ms("Mon 12:00")))).until("Thu 12:00")
    assert stage.value("availability", series=RING) == 0
    assert [figure(one, "availability") for one in stage.statements] == [0.5, 0, 0]


def test_an_outage_after_the_end_of_a_period_is_not_in_its_statement():
    stage = Stage(ring(DAY)).change(outage("Mon 12:00", "Mon 18:00")).change(outage("Tue 00:05", "Tue 00:10", "o2"))
    assert figure(stage.until("Tue 00:15").statements[0], "availability") == 0.75


def forget_days(stage):
    """The source says that it keeps its panes of days no longer."""
    for source, key in stage.sent:
        if key.width == "day":
            stage.evaluator.fold(source, key, None, stage.book)


def test_an_ended_outage_that_its_source_forgot_still_counts_in_the_statement():
    stage = Stage(ring(DAY)).change(outage("Mon 12:00", "Mon 18:00"))
    forget_days(stage)
    assert figure(stage.until("Tue 00:15").statements[0], "availability") == 0.75


def test_an_open_outage_that_its_source_forgot_does_not_last_for_ever():
    stage = Stage(ring(DAY)).change(outage("Mon 12:00")).look("Mon 13:00")
    forget_days(stage)
    assert stage.look("Tue 06:00").value("availability", series=RING) == 1


def test_maintenance_is_told_while_it_is_under_way():
    window = OutageRecord("maintenance", ms("Mon 10:00"), restored_ms=ms("Mon 11:00"), announced_ms=1)
    stage = Stage(ring(DAY)).change(Change(RING, ms("Mon 10:00"), (), outage=("m1", window)))
    told = {}
    for time in ("Mon 09:59:59", "Mon 10:00", "Mon 10:59:59", "Mon 11:00"):
        stage.evaluator.touch_all()
        told[time] = stage.look(time).latest(series=RING).live.get("maintenance")
    assert told == {"Mon 09:59:59": None, "Mon 10:00": 1, "Mon 10:59:59": 1, "Mon 11:00": None}


def test_announced_maintenance_leaves_the_availability_alone():
    stage = Stage(ring(DAY)).change(outage("Mon 06:00", "Mon 09:00"))
    window = OutageRecord("maintenance", ms("Mon 06:00"), restored_ms=ms("Mon 09:00"), announced_ms=1)
    stage.change(Change(RING, ms("Mon 06:00"), (), outage=("m1", window))).look("Mon 12:00")
    assert stage.value("availability", series=RING) == 1


def test_service_hours_are_those_of_the_version_that_judges():
    measure = OutageRule(id="ring", windows=(DAY,), service_hours="office")
    stage = Stage(agreement(measure)).change(outage("Mon 06:00", "Mon 11:00")).look("Mon 13:00")
    assert stage.value("availability", series=RING) == 0.5  # open from 09 to 13, down from 09 to 11


def test_a_customer_who_joined_during_a_period_has_a_shorter_one():
    stage = Stage(ring(DAY, valid_from=ms("Mon 12:00"))).change(outage("Mon 18:00", "Mon 21:00")).until("Tue 00:15")
    statement = stage.statements[0]
    assert when(statement.from_ms) == "Mon 12:00"
    assert figure(statement, "availability") == 0.75


# -- services without any outage


def only(**attributes):
    return Filter(any_of=tuple((name, frozenset(values)) for name, values in attributes.items()))


def network(*services, by=("service",), windows=(DAY,), **more):
    rule = OutageRule(id="ring", by=by, windows=windows)
    return agreement(rule, covers=only(service=services), **more)


def owning(*agreements):
    return Stage(*agreements, owns=lambda _: True)


def availabilities(stage):
    return {"/".join(series.values): stage.value("availability", window, series) for series, window in keys(stage)}


def keys(stage):
    return sorted(stage.evaluator.latest)


def test_a_service_that_never_failed_is_shown_with_all_that_was_promised_of_it():
    promised = promise(DAY, measure="ring", indicator="availability", target=0.999)
    stage = owning(network("dsl", "mpls", objectives=[promised])).look("Mon 10:00")
    assert availabilities(stage) == {"dsl": 1, "mpls": 1}
    status = stage.latest(series=SeriesKey("desk", "ring", ("dsl",)))
    assert (status.labels, status.verdicts[0].verdict) == ({"service": "dsl"}, "on_track")


def test_a_period_without_any_outage_is_stated():
    stage = owning(network("dsl")).look("Mon 10:00").until("Wed 12:00")
    assert [(when(one.from_ms), figure(one, "availability")) for one in stage.statements] == [
        ("Mon 00:00", 1), ("Tue 00:00", 1)
    ]  # fmt: skip
    stage.restart().until("Thu 12:00")
    assert [when(one.from_ms) for one in stage.statements][2:] == ["Wed 00:00"]


def test_availability_is_counted_from_the_beginning_of_the_agreement():
    stage = owning(network("dsl", valid_from=ms("Mon 09:00"))).look("Mon 08:00")
    assert keys(stage) == []
    stage.until("Mon 12:00")
    (status,) = stage.evaluator.latest.values()
    assert when(status.from_ms) == "Mon 09:00"
    assert next(one.denominator for one in status.figures if one.indicator == "availability") == 3 * HOUR_MS


def test_the_first_outage_comes_to_the_series_that_is_shown_already():
    stage = owning(network("ring", by=())).look("Mon 09:00").change(outage("Mon 10:00", "Mon 11:00")).look("Mon 12:00")
    assert availabilities(stage) == {"": pytest.approx(11 / 12)}


def test_only_the_agreements_of_this_partition_are_foreseen():
    mine, other = network("dsl", id="mine"), network("dsl", id="other")
    stage = Stage(mine, other, owns=lambda agreement_id: agreement_id == "mine").look("Mon 10:00")
    assert [series.agreement for series, _ in keys(stage)] == ["mine"]


@pytest.mark.parametrize(
    ("by", "where", "found"),
    [
        (("service",), {}, ["a", "b"]),
        (("service",), {"service": ["b", "c"]}, ["b"]),
        (("service", "customer"), {"customer": ["x", "y"]}, ["a/x", "a/y", "b/x", "b/y"]),
        (("service", "customer"), {}, []),
        (("service", "customer"), {"customer": [f"c{n}" for n in range(501)]}, []),
        ((), {}, [""]),
    ],
    ids=["covered", "covered and meant", "crossed", "not all named", "too many", "not split"],
)
def test_the_series_that_filters_name_are_foreseen(by, where, found):
    rule = OutageRule(id="ring", by=by, where=only(**where), windows=(DAY,))
    stage = owning(agreement(rule, covers=only(service="ab"))).look("Mon 10:00")
    assert ["/".join(series.values) for series, _ in keys(stage)] == found


def test_a_service_that_is_amended_away_ends_and_a_new_one_begins():
    stage = owning(network("dsl", "mpls"))
    stage.look("Mon 10:00")
    stage.amend(network("dsl", "mpls"), network("mpls", "ring", version=2, valid_from=ms("Mon 12:00"))).until(
        "Mon 13:00"
    )
    assert stage.ended == ["dsl/day Mon 12:00"]
    assert list(availabilities(stage)) == ["mpls", "ring"]


def test_an_agreement_that_is_terminated_or_taken_back_shows_nothing_more():
    stage = owning(network("dsl", terminates_ms=ms("Mon 12:00"))).look("Mon 10:00").until("Tue 06:00")
    assert (keys(stage), stage.ended) == ([], ["dsl/day Mon 12:00"])
    assert [(when(one.from_ms), when(one.to_ms)) for one in stage.statements] == [("Mon 00:00", "Mon 12:00")]
    stage = owning(network("dsl")).look("Mon 10:00").amend().look("Mon 10:01")
    assert (keys(stage), stage.ended) == ([], ["dsl/day Mon 10:01"])
