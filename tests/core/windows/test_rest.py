"""A measure shows so many series; the rest is counted in one, and nothing is lost on the way there and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.measures import CallRule, Filter, OutageRule
from monitor.core.series.panes import apply, exchanged, merge_panes
from monitor.core.series.series import (
    LIVE,
    Change,
    OutageRecord,
    PaneKey,
    SeriesKey,
    empty_pane,
    is_rest,
    labels_in,
    rest_of,
)
from monitor.core.time.windows import Window
from monitor.core.windows import evaluator
from monitor.core.windows.rest import Rest
from monitor.wire.rows import EVALUATE_ROWS
from tests.core.stage import DAY, MONTH, P1, Stage, desk, promise
from tests.core.stories import DAY_MS, agreement, clock, ms, when
from tests.core.windows.test_consequence_stories import RULES

HOURS = Window("rolling", 24 * 3_600_000)
REST = rest_of(P1)


def named(name, measure="resolution"):
    return SeriesKey("desk", measure, (name,))


def kept(*windows, most=2, by=("customer",), **more):
    """A stage of one clock by customer, with a promise."""
    return Stage(agreement(clock(windows=windows, by=by), objectives=[promise(*windows)], **more), max_series=most)


def shown(stage, window="day"):
    return sorted("/".join(series.values) for series, name in stage.evaluator.latest if name == window)


def met(stage, series, window="day"):
    """How many met, of how many."""
    figure = next(one for one in stage.latest(window, series).figures if one.indicator == "compliance")
    return f"{figure.numerator:g}/{figure.denominator:g}"


# -- who is shown


def test_who_comes_after_the_last_place_is_counted_in_the_rest():
    stage = kept(DAY)
    for name in ("acme", "blue", "cyan", "dune"):
        stage.stopped("Mon 09:00", series=named(name))
    stage.stopped("Mon 09:30", "breached", series=named("dune")).look("Mon 10:00")
    assert shown(stage) == ["acme", "blue", "other/(rest)"]
    assert met(stage, REST) == "2/3"
    status = stage.latest("day", REST)
    assert status.labels == {"customer": "other", "rest": "true"}
    assert status.live["series"] == 2
    assert "series" not in stage.latest("day", named("acme")).live
    assert stage.evaluator.places() == {("desk", "resolution"): (2, 2)}


def test_a_customer_who_is_called_other_is_not_the_rest():
    stage = kept(DAY)
    for name in ("other", "blue", "cyan"):
        stage.stopped("Mon 09:00", series=named(name))
    stage.look("Mon 10:00")
    assert met(stage, named("other")) == "1/1"
    assert stage.latest("day", named("other")).labels == {"customer": "other"}
    assert not is_rest(named("other"))
    assert not is_rest(SeriesKey("desk", "resolution", ()))
    assert labels_in(("customer", "team"), SeriesKey("a", "b", ("x", "y"))) == {"customer": "x", "team": "y"}
    assert labels_in(("customer", "team"), rest_of(SeriesKey("a", "b", ("x", "y"))))["team"] == "other"


def test_what_is_shown_is_complete_also_of_sources_that_come_later():
    stage = kept(DAY)
    for name in ("acme", "blue", "cyan"):
        stage.stopped("Mon 09:00", series=named(name), source="tickets/0")
    for name in ("cyan", "dune", "blue", "acme"):
        stage.stopped("Mon 09:00", series=named(name), source="tickets/1")
    stage.look("Mon 10:00")
    assert (met(stage, named("acme")), met(stage, named("blue")), met(stage, REST)) == ("2/2", "2/2", "3/3")


def test_whoever_the_agreement_lists_always_has_a_place():
    where = Filter(any_of=(("customer", frozenset({"cyan", "dune"})),))
    stage = Stage(agreement(clock(windows=(DAY,), by=("customer",), where=where)), max_series=1)
    for name in ("acme", "blue", "cyan", "dune"):  # the first two under a version that listed nobody
        stage.stopped("Mon 09:00", series=named(name))
    stage.look("Mon 10:00")
    assert shown(stage) == ["acme", "cyan", "dune", "other/(rest)"]


def test_a_measure_that_is_not_split_has_no_rest():
    stage = Stage(agreement(clock(windows=(DAY,), by=())), max_series=0)
    stage.stopped("Mon 09:00", series=SeriesKey("desk", "resolution", ())).look("Mon 10:00")
    assert shown(stage) == [""]


def test_a_service_that_the_agreement_foresees_has_a_place_in_any_version():
    """The newest version lists others: those of the older one are still foreseen."""
    before = OutageRule(
        id="net", by=("service",), windows=(DAY,), where=Filter(any_of=(("service", frozenset({"web"})),))
    )
    after = OutageRule(
        id="net", by=("service",), windows=(DAY,), where=Filter(any_of=(("service", frozenset({"db"})),))
    )
    old, new = agreement(before), agreement(after, version=2, valid_from=ms("Fri 00:00"))
    stage = Stage(old, new, owns=lambda _: True, max_series=0)
    stage.change(down("web", "Mon 09:00", "Mon 10:00")).look("Mon 11:00")
    assert shown(stage) == ["web"]


# -- places that become free


def forget(stage, name, source="tickets/0"):
    """The source has dropped all panes of a customer."""
    for one, key in list(stage.panes):
        if one == source and key.series == named(name):
            del stage.panes[one, key]
            stage.evaluator.fold(source, key, None, stage.book)
    return stage


def test_a_free_place_goes_to_the_next_of_whom_anything_is_heard():
    stage = kept(HOURS)
    for name in ("acme", "blue", "cyan", "dune"):
        stage.stopped("Mon 09:00", series=named(name))
    stage.stopped("Wed 09:00", series=named("blue")).stopped("Wed 09:00", series=named("cyan"))
    forget(stage, "acme").look("Wed 10:00")
    assert shown(stage, "24h") == ["blue", "other/(rest)"]
    stage.stopped("Wed 11:00", "breached", series=named("dune")).look("Wed 12:00")
    assert shown(stage, "24h") == ["blue", "dune", "other/(rest)"]
    assert met(stage, named("dune"), "24h") == "0/1"
    assert met(stage, REST, "24h") == "1/1"
    assert stage.latest("24h", REST).live["series"] == 1


def test_what_a_series_takes_along_from_the_rest_is_stated_once():
    stage = kept(DAY, most=1)
    for day in ("Mon", "Tue"):
        stage.stopped(f"{day} 09:00", series=named("acme")).stopped(f"{day} 09:00", "breached", series=named("blue"))
        stage.until(f"{day} 23:00")
    stage.max_series = 2
    stage.restart().stopped("Tue 23:10", "breached", series=named("blue")).until("Wed 12:00")
    stated = [(one.series.values[0], when(one.from_ms), met_of(one)) for one in stage.statements]
    assert stated == [
        ("acme", "Mon 00:00", "1/1"), ("other", "Mon 00:00", "0/1"),
        ("acme", "Tue 00:00", "1/1"), ("blue", "Tue 00:00", "0/2"),
    ]  # fmt: skip


def met_of(status):
    figure = next(one for one in status.figures if one.indicator == "compliance")
    return f"{figure.numerator:g}/{figure.denominator:g}"


def test_a_series_that_stated_more_than_the_rest_states_nothing_twice():
    """It had a place, lost it and gets it back: its own last period is later than any that the rest has stated."""
    stage = kept(DAY, most=1)
    stage.stopped("Mon 09:00", series=named("acme")).until("Wed 12:00")
    forget(stage, "acme").until("Thu 12:00")
    stage.stopped("Thu 13:00", series=named("blue")).stopped("Thu 13:00", series=named("acme")).look("Thu 14:00")
    stage.max_series = 2
    stage.restart().stopped("Thu 15:00", series=named("acme")).until("Fri 12:00")
    assert len({(one.series, one.from_ms) for one in stage.statements}) == len(stage.statements)


def test_the_rest_goes_when_nothing_is_counted_in_it():
    stage = kept(HOURS, most=1)
    stage.stopped("Mon 09:00", series=named("acme")).stopped("Mon 09:00", series=named("blue")).look("Mon 10:00")
    stage.live(named("cyan"), open=1).look("Mon 11:00")
    assert stage.evaluator.places()["desk", "resolution"] == (1, 2)
    stage.live(named("cyan"), open=1, times=-1)
    forget(forget(stage, "blue"), "acme").look("Mon+14 09:00").look("Mon+28 09:00")
    assert stage.evaluator.places() == {}
    assert (stage.evaluator.latest, [key for key in stage.rows if key[:1] in b"wx"]) == ({}, [])


def test_a_period_that_is_still_to_be_stated_keeps_what_a_source_forgot():
    stage = kept(MONTH, most=1)
    stage.stopped("Mon 09:00", series=named("acme")).stopped("Mon 09:00", series=named("blue")).look("Mon 10:00")
    forget(stage, "blue").look("Mon 11:00")
    forget(stage, "nobody").evaluator.fold("tickets/9", PaneKey(named("cyan"), "day", 0), None, stage.book)
    assert met(stage, REST, "month") == "1/1"
    assert stage.evaluator.places() == {("desk", "resolution"): (1, 0)}


def test_a_source_that_forgets_what_it_never_sent_of_a_series_in_the_rest_changes_nothing():
    stage = kept(DAY, most=0).stopped("Mon 09:00", series=named("acme"))
    rows = dict(stage.rows)
    for width, start_ms in (("day", ms("Mon 00:00")), ("day", ms("Tue 00:00"))):
        stage.evaluator.fold("tickets/9", PaneKey(named("acme"), width, start_ms), None, stage.book)
        stage.evaluator.fold("tickets/9", PaneKey(named("acme"), width, start_ms), empty_pane(), stage.book)
    assert stage.rows == rows
    assert met(stage.look("Mon 10:00"), REST) == "1/1"


def test_a_measure_that_no_agreement_has_names_nobody():
    stage = kept(DAY, most=0)
    key, pane = PaneKey(named("acme", "gone"), "day", ms("Mon 00:00")), empty_pane()
    apply([pane], Change(key.series, key.start_ms, (("met", 1),)))
    stage.evaluator.fold("tickets/0", key, pane, stage.book)
    assert stage.evaluator.places() == {("desk", "gone"): (0, 1)}


# -- what is promised of the rest


def test_a_share_of_the_rest_is_judged_as_a_part_must_have_missed_where_the_whole_has():
    stage = kept(DAY, most=1)
    stage.stopped("Mon 09:00", series=named("acme"))
    for name in ("blue", "cyan"):
        stage.stopped("Mon 09:00", "breached", series=named(name))
    stage.look("Mon 10:00")
    (alert,) = stage.alerts
    assert (alert.state, alert.labels["customer"], alert.labels["rest"]) == ("breached", "other", "true")


def down(name, start, end):
    record = OutageRecord("outage", ms(start), restored_ms=ms(end), weights=((ms(start), 1.0),))
    return Change(named(name, "net"), ms(start), (), outage=(f"o-{name}", record))


def test_neither_the_union_of_many_services_nor_a_number_of_many_queues_is_judged():
    calls = CallRule(id="calls", by=("queue",), windows=(DAY,), answer_within_ms=20_000)
    net = OutageRule(id="net", by=("service",), windows=(DAY,), since_ms={"other": ms("Tue 00:00")})
    objectives = [
        promise(DAY, id="up", measure="net", indicator="availability"),
        promise(DAY, id="lost", measure="calls", indicator="lost", comparison="<=", target=1),
        promise(DAY, id="fast", measure="calls", indicator="SL1"),
    ]
    stage = Stage(agreement(calls, net, objectives=objectives), max_series=1)
    for name in ("a", "b", "c"):
        stage.change(down(name, "Mon 06:00", "Mon 12:00"), "outages/0")
        stage.change(Change(named(name, "calls"), ms("Mon 09:00"), (("lost", 2),)), "calls/0")
    stage.look("Mon 18:00")
    own, rest = stage.latest("day", named("a", "net")), stage.latest("day", rest_of(named("a", "net")))
    assert ([one.objective for one in own.verdicts], rest.verdicts) == (["up"], ())
    assert next(one.value for one in rest.figures if one.indicator == "failures") == 2
    calls = stage.latest("day", rest_of(named("a", "calls")))
    assert [one.objective for one in calls.verdicts] == ["fast"]


def test_nobody_is_owed_what_many_missed_together():
    stage = Stage(desk(MONTH, objectives=[promise(MONTH)], consequences=RULES), max_series=1)
    for name in ("P1", "P2", "P3"):
        stage.stopped("Mon 09:00", "breached", series=named(name))
    stage.until("Wed+31 12:00")
    assert [(one.series.values[0], len(one.consequences)) for one in stage.statements] == [("P1", 1), ("other", 0)]


# -- laws

NAMES = ("a", "b", "c", "d", "e")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("stop"), st.sampled_from(NAMES), st.integers(0, 1), st.integers(0, 60)),
        st.tuples(st.just("undo"), st.integers(0, 40), st.just(0), st.just(0)),
        st.tuples(st.just("live"), st.sampled_from(NAMES), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("forget"), st.sampled_from(NAMES), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("look"), st.integers(1, 30), st.just(0), st.just(0)),
    ),
    max_size=40,
)


def play(steps, most, *, restarts=False, until_hours=10_000):
    """Let sources change, take back and forget; return the stage, looked at in the end.

    A source forgets what no window needs any more, and does not send it again.
    """
    stage = kept(HOURS, DAY, most=most)
    done, hours = [], 0
    for what, one, two, three in steps:
        if what == "stop":
            at_ms = ms("Mon 01:00") + hours * 3_600_000 + three * 60_000
            counts = (("met" if three % 2 else "breached", 1), ("elapsed_ms", three))
            change = Change(named(one), at_ms, counts, three)
            stage.change(change, f"tickets/{two}")
            done.append((change, f"tickets/{two}"))
        elif what == "live":
            change = Change(named(one), LIVE, (("open", 1),))
            stage.change(change, f"tickets/{two}")
            done.append((change, f"tickets/{two}"))
        elif what == "undo" and done:
            change, source = done.pop(one % len(done))
            stage.change(change.undone(), source)
        elif what == "forget":
            source, before_ms = f"tickets/{two}", ms("Mon 01:00") + (hours - 72) * 3_600_000
            done = [
                (change, of)
                for change, of in done
                if (change.series, of) != (named(one), source) or change.at_ms == LIVE or change.at_ms >= before_ms
            ]
            for of, key in list(stage.panes):
                old = key.width != "live" and key.start_ms < before_ms - DAY_MS
                if old and (of, key.series) == (source, named(one)):
                    del stage.panes[of, key]
                    stage.evaluator.fold(of, key, None, stage.book)
        elif what == "look":
            hours = min(hours + one, until_hours)
            stage.look(when(ms("Mon 01:00") + hours * 3_600_000))
        if restarts:
            stage.restart()
    stage.evaluator.touch_all()
    return stage.look(when(ms("Mon 02:00") + hours * 3_600_000))


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(1, 3))
def test_shown_figures_are_those_without_a_bound_and_the_rest_is_the_sum_of_the_others(steps, most):
    bounded, whole = play(steps, most), play(steps, 100)
    assert sum(not is_rest(series) for series, window in bounded.evaluator.latest if window == "24h") <= most
    for window in ("24h", "day"):
        others = {series for series, name in whole.evaluator.latest if name == window}
        for series in list(others):
            own = bounded.latest(window, series)
            if own is not None:
                assert own[:-3] == whole.latest(window, series)[:-3]
                others.discard(series)
        rest = bounded.latest(window, REST)
        if not others:
            continue
        assert rest is not None
        for place in range(2):  # compliance and mean: of each numerator and denominator
            found = [whole.latest(window, series).figures[place] for series in others]
            assert rest.figures[place].numerator == sum(one.numerator for one in found)
            assert rest.figures[place].denominator == sum(one.denominator for one in found)
        assert rest.live["open"] == sum(whole.latest(window, series).live["open"] for series in others)


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(1, 3))
def test_a_restart_changes_nothing_of_who_is_shown(steps, most):
    # Panes go at the latest a day after they have expired, after a restart at once: here none has.
    through = play(steps, most, until_hours=48)
    restarted = play(steps, most, restarts=True, until_hours=48)
    assert restarted.rows == through.rows
    assert restarted.evaluator.latest == through.evaluator.latest
    assert restarted.evaluator.places() == through.evaluator.places()
    assert [one.id for one in restarted.alerts] == [one.id for one in through.alerts]


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(1, 3))
def test_a_series_that_is_asleep_between_two_evaluations_says_the_same(steps, most):
    awake = play(steps, most)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluator, "MOST_AWAKE", 0)
        asleep = play(steps, most)
    assert asleep.rows == awake.rows
    assert asleep.evaluator.latest == awake.evaluator.latest
    assert (asleep.statuses, asleep.alerts, asleep.ended) == (awake.statuses, awake.alerts, awake.ended)
    assert asleep.evaluator.next_ms(0) == awake.evaluator.next_ms(0)


def test_windows_that_share_their_labels_follow_an_amendment():
    def split(by, **more):
        return agreement(clock(windows=(HOURS, DAY), by=(by,)), **more)

    stage = Stage(split("customer")).stopped("Mon 09:00", series=named("acme")).look("Mon 10:00")
    own = stage.latest("day", named("acme"))
    assert own.labels is stage.latest("24h", named("acme")).labels
    stage.amend(split("customer"), split("team", version=2, valid_from=ms("Mon 12:00"))).look("Mon 13:00")
    assert [stage.latest(window, named("acme")).labels for window in ("24h", "day")] == [{"team": "acme"}] * 2


COUNTS = st.dictionaries(st.sampled_from("abc"), st.integers(1, 5), max_size=3)
PANES = st.builds(
    lambda counts, buckets: empty_pane()._replace(counts=counts, buckets=buckets),
    COUNTS, st.dictionaries(st.integers(0, 5), st.integers(1, 5), max_size=3),
)  # fmt: skip


@given(PANES, PANES, PANES)
def test_a_part_that_takes_the_place_of_another_leaves_nothing_of_it(others, old, new):
    assert exchanged(merge_panes([others, old]), old, new) == merge_panes([others, new])
    assert exchanged(merge_panes([others, old]), old, None) == merge_panes([others])
    assert exchanged(None, None, new) == merge_panes([new])


def test_items_of_the_rest_stand_in_rows_of_their_own_and_leave_them_with_their_series():
    calls = CallRule(id="calls", by=("queue",), windows=(DAY,), answer_within_ms=20_000)
    stage = Stage(agreement(calls), max_series=0)
    for number in range(4):
        waiting = Change(
            named(f"q{number}", "calls"), LIVE, (("waiting", 1),), call=(f"c{number}", ms("Mon 09:00") + number)
        )
        stage.change(waiting, "calls/0")
    stage.restart().look("Mon 09:01")
    rest = rest_of(named("q0", "calls"))
    assert stage.latest("day", rest).live == {"waiting": 4, "longest_wait_ms": 60_000, "series": 4}
    assert len([key for key in stage.rows if key[:1] == b"w"]) == 5, "the counts, and each queue's calls"
    stage.max_series = 1
    stage.restart().change(
        Change(named("q0", "calls"), LIVE, (("waiting", 1),), call=("c9", ms("Mon 09:01"))), "calls/0"
    )
    stage.look("Mon 09:02")
    assert stage.latest("day", rest).live["longest_wait_ms"] == 119_999, "that of q1"
    assert stage.latest("day", named("q0", "calls")).live == {"waiting": 2, "longest_wait_ms": 120_000}
    assert len([key for key in stage.rows if key[:1] == b"x"]) == 3


def test_the_rows_of_the_rest_go_through_their_bytes():
    rows = {}

    class Kept:
        def get(self, key):
            return EVALUATE_ROWS.decode(key, rows[key]) if key in rows else None

        def put(self, key, row):
            rows.pop(key, None) if row is None else rows.update({key: bytes(EVALUATE_ROWS.encode(key, row))})

    rest, pane = Rest(Kept(), 1), empty_pane()
    apply([pane], Change(P1, 0, (("met", 1),), 5))
    one, two = PaneKey(P1, "day", 0, "tickets/0"), PaneKey(P1, "day", 0, "tickets/1#0:5")
    assert (rest.exchange(one, pane), rest.exchange(two, pane), rest.exchange(two, pane)) == (None, None, pane)
    assert (rest.exchange(one, None), rest.exchange(one, None)) == (pane, None)
    assert [part.source for part in rest.leave(P1)] == ["tickets/1#0:5"]
    assert (rows, P1 in rest) == ({}, False)
