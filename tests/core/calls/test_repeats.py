"""First call resolution by "no repeat call of the same caller and issue within W" (domain.md §4)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreements.measures import CallRule
from monitor.core.agreements.objectives import Objective
from monitor.core.calls.repeats import NO_TALLY, RepeatIndex, Tally, repeat_item
from monitor.core.clocks.terms import Plan
from monitor.core.series.series import PaneKey, SeriesKey, decode_pane_key, empty_pane
from monitor.core.time.spans import Span
from tests.core.stage import DAY, HOUR, MONTH, Stage, copied
from tests.core.stories import DAY_MS, MONDAY_MS, Story, agreement, event, ms

W_MS = 7 * DAY_MS
RULE = CallRule(id="calls", answer_within_ms=20_000, repeat_within_ms=W_MS, windows=(DAY, MONTH))
SERIES = SeriesKey("desk", "calls", ())


class Centre:
    """Calls on several partitions, and the evaluator that adds up their panes."""

    def __init__(self, rule=RULE, **more):
        self.agreement = agreement(rule, **more)
        self.stage = Stage(self.agreement)
        self.sources = [Story(self.agreement, subject="call", retention="60d") for _ in range(2)]

    def call(self, name, time, *, caller="ann", issue="login", partition=0, escalated=False, **told):
        """A call that is answered at once, and ends after five minutes."""
        day, clock = time.split()
        minutes = int(clock[:2]) * 60 + int(clock[3:])
        source = self.sources[partition]
        at = [f"{day} {(minutes + more) // 60:02}:{(minutes + more) % 60:02}" for more in (0, 1, 5)]
        known = {"caller": caller, "issue": issue, **told}
        source.at(at[0], event("call", name, "queued", **{key: value for key, value in known.items() if value}))
        source.at(at[0], event("call", name, "answered", sequence=1))
        if escalated:
            source.at(at[1], event("call", name, "transferred"))
        source.at(at[2], event("call", name, "ended"))
        return self

    def look(self, time):
        for number, source in enumerate(self.sources):
            for key, pane in source.rows.items():
                if key[:1] == b"p":
                    self.stage.evaluator.fold(f"calls/{number}", decode_pane_key(key), copied(pane), self.stage.book)
        self.stage.evaluator.touch_all()
        self.stage.look(time)
        return {one.indicator: one for one in self.stage.latest("month", SERIES).figures}


def shares(figures, *names):
    return [(figures[name].numerator, figures[name].denominator) for name in names]


def test_who_does_not_call_again_within_w_was_helped_the_first_time():
    centre = Centre().call("C-1", "Mon 09:00").call("C-2", "Mon 10:00", caller="bob")

    assert shares(centre.look("Mon+7 12:00"), "fcr", "fcr_pending") == [(2, 2), (0, 2)]


def test_a_repeat_call_from_another_partition_takes_the_resolution_back():
    centre = Centre().call("C-1", "Mon 09:00").call("C-2", "Sat 09:00", partition=1)

    assert shares(centre.look("Mon+14 12:00"), "fcr", "fcr_provisional") == [(1, 2), (1, 2)]


def test_a_call_is_provisional_until_its_end_plus_w_and_confirmed_from_then_on():
    centre = Centre().call("C-1", "Mon 09:00")

    early = centre.look("Mon+7 09:04")
    assert early["fcr"].value is None, "absent, never 0 or 100"
    assert shares(early, "fcr_provisional", "fcr_pending") == [(1, 1), (1, 1)]

    assert shares(centre.look("Mon+7 09:05"), "fcr", "fcr_provisional", "fcr_pending") == [(1, 1), (1, 1), (0, 1)]


def test_a_repeat_shows_at_once_among_the_provisional_and_is_confirmed_with_the_others():
    centre = Centre().call("C-1", "Mon 09:00").call("C-2", "Tue 09:00")

    figures = centre.look("Tue 12:00")

    assert shares(figures, "fcr", "fcr_provisional") == [(0, 0), (1, 2)]


@pytest.mark.parametrize(("time", "first"), [("Mon+7 09:05", 0), ("Mon+7 09:06", 1)])
def test_within_w_includes_the_instant_w_after_the_end(time, first):
    centre = Centre().call("C-1", "Mon 09:00").call("C-2", time)

    assert centre.look("Mon+7 12:00")["fcr"].numerator == first


@pytest.mark.parametrize("other", [{"caller": "bob"}, {"issue": "invoice"}])
def test_another_caller_or_another_issue_is_no_repeat(other):
    centre = Centre().call("C-1", "Mon 09:00").call("C-2", "Tue 09:00", **other)

    assert centre.look("Mon+14 12:00")["fcr"].value == 1.0


def test_without_an_issue_the_caller_alone_decides_and_without_a_caller_nothing_is_known():
    centre = Centre().call("C-1", "Mon 09:00", issue="").call("C-2", "Tue 09:00", issue="")
    centre.call("C-3", "Mon 09:00", caller="", partition=1).call("C-4", "Tue 09:00", caller="", partition=1)

    assert shares(centre.look("Mon+14 12:00"), "fcr") == [(1, 2)]


def test_a_call_that_was_abandoned_is_a_repeat_and_no_resolution():
    centre = Centre().call("C-1", "Mon 09:00")
    centre.sources[1].at("Tue 09:00", event("call", "C-2", "queued", caller="ann", issue="login"))
    assert shares(centre.look("Tue 09:00"), "fcr_provisional") == [(0, 1)], "also while it waits"
    centre.sources[1].at("Tue 09:01", event("call", "C-2", "abandoned"))

    assert shares(centre.look("Mon+14 12:00"), "fcr") == [(0, 1)]


def test_net_leaves_out_calls_that_the_first_level_could_not_solve():
    centre = (
        Centre()
        .call("C-1", "Mon 09:00", escalated=True)
        .call("C-2", "Tue 09:00")
        .call("C-3", "Tue 10:00", caller="bob")
    )

    assert shares(centre.look("Mon+14 12:00"), "fcr", "fcr_net") == [(2, 3), (2, 2)]


def test_a_late_fact_that_tells_another_issue_takes_the_repeat_out_again():
    centre = Centre().call("C-1", "Mon 09:00").call("C-2", "Tue 09:00", partition=1)
    assert centre.look("Tue 12:00")["fcr_provisional"].numerator == 1
    centre.sources[1].at("Tue 09:06", event("call", "C-2", "ended", issue="invoice"), now="Tue 13:00")

    assert centre.look("Tue 13:00")["fcr_provisional"].numerator == 2


def test_that_nobody_called_again_is_confirmed_by_time_alone_at_most_an_hour_later():
    centre = Centre().call("C-1", "Mon 09:00")
    centre.look("Mon 12:00")
    centre.stage.until("Mon+7 10:00")

    assert centre.stage.value("fcr", "month", SERIES) == 1.0


def test_a_statement_says_how_many_were_provisional_and_none_is_where_it_closes_after_w():
    """The promise itself is judged once: by the period's statement if that waits for W, else by its cohort's."""
    promised = Objective(id="once", measure="calls", indicator="fcr", comparison=">=", target=0.7, windows=(DAY,))
    for lateness_ms, pending in ((900_000, 2), (W_MS, 0)):
        centre = Centre(objectives=[promised], allowed_lateness_ms=lateness_ms)
        centre.call("C-1", "Mon 09:00").call("C-2", "Mon 15:00").call("C-3", "Tue+7 08:00", caller="bob")
        centre.look("Tue+7 09:00")
        centre.stage.until("Tue+7 10:00")
        monday, *later = [one for one in centre.stage.statements if one.from_ms == MONDAY_MS]
        figures = {one.indicator: one for one in monday.figures}

        assert (monday.from_ms, figures["fcr_pending"].value) == (MONDAY_MS, pending)
        assert (monday.verdicts[0].verdict, figures["fcr"].value) == (
            ("provisional", None) if pending else ("breached", 0.5)
        )
        cohort = [(one.window, one.verdicts[0].verdict, one.verdicts[0].sample) for one in later]
        assert cohort == ([("day+repeats", "breached", 2)] if pending else [])


def test_panes_are_kept_w_longer_where_somebody_asks_who_calls_again():
    def keep(rule):
        return dict(Plan(Stage(agreement(rule)).book).slices("desk", "calls").keep_ms)

    asked = keep(replace(RULE, windows=(HOUR, DAY)))
    not_asked = keep(replace(RULE, windows=(HOUR, DAY), repeat_within_ms=0))

    assert asked["day"] - not_asked["day"] == W_MS
    assert asked["minute"] == not_asked["minute"], "a window that is shorter than W never confirms anything"


def test_who_asks_nothing_of_repeats_keeps_no_items():
    story = Story(agreement(replace(RULE, repeat_within_ms=0)), subject="call")
    story.at("Mon 09:00", event("call", "C-1", "queued", caller="ann"), event("call", "C-1", "answered", sequence=1))

    assert not story.pane(SERIES, "day", MONDAY_MS).calls


# the index against the definition

calls = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.integers(0, 6), st.booleans(), st.booleans()), max_size=12
)


def items_of(several):
    """Items by the start of their pane (of ten), and what the definition says of them."""
    panes = {}
    for number, (caller, queued, length, handled, escalated) in enumerate(several):
        item = repeat_item(
            f"C-{number}", {"caller": caller}, queued + 1, queued + 1 + length if handled else 0, escalated=escalated
        )
        panes.setdefault(queued // 10 * 10, {})[item[0]] = item[1]
    return panes


def defined(several, span, within, now):
    tally = [0] * 6
    for caller, queued, length, handled, escalated in several:
        end = queued + length
        if not handled or now <= end or not span.start_ms <= queued // 10 * 10 < span.end_ms:
            continue
        repeated = any(other == caller and queued < at <= end + within and at < now for other, at, *_ in several)
        confirmed = now > end + within
        for place, holds in enumerate((
            True, not repeated, confirmed, confirmed and not repeated, confirmed and not escalated,
            confirmed and not escalated and not repeated,
        )):  # fmt: skip
            tally[place] += holds
    return Tally(*tally)


def in_parts(items, number):
    """The items of a pane as so many parts hold them."""
    parts = {}
    for place, (name, ended) in enumerate(items.items()):
        parts.setdefault(f"calls/0#{place % number}", {})[name] = ended
    return parts


@given(
    calls, calls, st.integers(0, 10), st.lists(st.integers(0, 60), min_size=1, max_size=4), st.integers(0, 4),
    st.integers(1, 3), st.integers(1, 3),
)  # fmt: skip
def test_the_index_counts_what_the_definition_says_whatever_it_held_before(
    before, after, within, instants, first, parts, later_parts
):
    span = Span(first * 10, 60)
    index = RepeatIndex(())
    old, new = items_of(before), items_of(after)
    for start in sorted(old):
        index.take(start, in_parts(old[start], parts))
    index.tally(span, within, instants[0])
    for start in sorted(old.keys() | new.keys()):
        index.take(start, in_parts(new.get(start, {}), later_parts))

    for now in instants:
        assert index.tally(span, within, now) == defined(after, span, within, now)


def test_an_empty_index_has_nothing_to_tell():
    assert RepeatIndex(()).tally(Span(0, 10), 5, 100) == NO_TALLY
    assert PaneKey(SERIES, "day", ms("Mon 00:00")).series == SERIES


def test_an_evaluator_that_was_restarted_finds_the_same_repeats_in_its_rows():
    centre = (
        Centre().call("C-1", "Mon 09:00").call("C-2", "Tue 09:00", partition=1).call("C-3", "Tue 10:00", caller="bob")
    )
    before = centre.look("Mon+7 12:00")
    centre.stage.restart().look("Mon+7 12:00")

    after = {one.indicator: one for one in centre.stage.latest("month", SERIES).figures}
    assert after == before
    assert shares(after, "fcr", "fcr_provisional") == [(0, 1), (2, 3)]


def test_a_source_that_takes_its_panes_back_takes_its_calls_out_of_the_figures():
    centre = Centre().call("C-1", "Mon 09:00").call("C-2", "Tue 09:00", partition=1)
    assert centre.look("Mon+14 12:00")["fcr"].numerator == 1
    for key, pane in centre.sources[1].rows.items():
        if key[:1] == b"p" and pane.calls:
            centre.stage.evaluator.fold("calls/1", decode_pane_key(key), empty_pane(), centre.stage.book)
    centre.sources.pop()

    assert shares(centre.look("Mon+14 12:00"), "fcr") == [(1, 1)]


def test_a_new_call_costs_its_own_share_not_those_of_the_other_calls_of_its_day(monkeypatch):
    """A day of 5,000 callers, and an hour later one of them calls again; a day later the W of all is over."""
    items = {f"{who:x}.{who:x}.{who // 10}.0": who // 10 + 50 for who in range(5_000)}
    index, span = RepeatIndex(()), Span(0, 10_000)
    index.take(0, {"": items})
    assert index.tally(span, 1_000, 600) == Tally(handled=5_000, unrepeated=5_000)
    counted = []
    share = RepeatIndex._share
    monkeypatch.setattr(RepeatIndex, "_share", lambda self, call, *of: counted.append(call) or share(self, call, *of))

    index.take(0, {"": {**items, "7.ffff.700.0": 800}})
    again = index.tally(span, 1_000, 900)

    assert again == Tally(handled=5_001, unrepeated=5_000)
    assert len(counted) == 4  # the caller's two calls: now, and when the repeat came about and ended
    index.take(0, {"": index._items[0, ""]})
    assert len(counted) == 4  # the same items
    assert index.tally(span, 1_000, 9_000) == Tally(5_001, 5_000, 5_001, 5_000, 5_001, 5_000)
    assert len(counted) < 5_010


def test_spans_of_many_lengths_are_each_told_rightly():
    index = RepeatIndex(())
    for start in range(40):
        index.take(start, {"": {f"{start:x}.a.{start}.0": start + 1}})

    assert [index.tally(Span(0, length), 5, 100).handled for length in (*range(1, 40), *range(1, 40))] == [
        *range(1, 40), *range(1, 40),
    ]  # fmt: skip
