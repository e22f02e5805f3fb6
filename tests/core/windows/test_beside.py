"""Work that puts merged panes in the rows by itself: the evaluator says the same as if it had merged them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agreements.measures import CallRule, Filter
from monitor.core.series.series import Change, SeriesKey
from monitor.core.windows.evaluator import Evaluator
from monitor.core.windows.rows import MergedPane, merged_pane_key
from tests.core import stage as stages
from tests.core.stage import DAY, HOUR, P1, P2, Stage, desk, promise
from tests.core.stories import agreement, ms
from tests.core.windows.test_rest import STEPS, play


class Beside(Evaluator):
    """An evaluator whose panes others put, where they may."""

    def fold(self, source, key, pane, book):
        of, width, start_ms, part = key
        known = self.beside(book)
        counts = pane is not None and (pane.counts or pane.buckets) and not (pane.calls or pane.outages)
        if part or not counts or of not in known.shown or of in known.with_items:
            super().fold(source, key, pane, book)
            return
        row = self._rows.get(merged_pane_key(key))
        sources = {} if row is None else row.sources
        if sources.get(source) == pane:
            return
        if row is None and width != "live":
            self.watch(of.agreement, start_ms)
        self._rows.put(merged_pane_key(key), MergedPane(dict(sorted({**sources, source: pane}.items()))))
        known.panes.setdefault(of, {})[width, start_ms] = None
        known.dirty.add(of)


def both(*agreements, **options):
    """A stage whose evaluator merges panes, and the same one with others who do."""
    ours = Stage(*agreements, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "Evaluator", Beside)
        return ours, Stage(*agreements, **options)


def seen(stage):
    told = stage.statuses, stage.alerts, stage.statements, stage.ended
    return stage.rows, stage.evaluator.latest, stage.evaluator.places(), stage.evaluator.next_ms(0), told


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(1, 3), st.sampled_from([0, 500]))
def test_nothing_tells_who_has_merged_a_pane(steps, most, awake):
    ours = play(steps, most)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "Evaluator", Beside)
        patch.setattr("monitor.core.windows.evaluator.MOST_AWAKE", awake)
        theirs = play(steps, most)
    assert seen(theirs) == seen(ours)


def test_the_sums_of_windows_follow_a_pane_that_others_replace_between_two_evaluations():
    stages_ = both(desk(HOUR, DAY, objectives=[promise(HOUR, DAY)]))
    for stage in stages_:
        stage.stopped("Mon 09:00").stopped("Mon 09:10", "breached").look("Mon 09:15")
        stage.stopped("Mon 09:10", "breached", times=-1).stopped("Mon 09:20", source="tickets/1").live(open=1)
        stage.look("Mon 09:30").stopped("Mon 09:21", series=P2).stopped("Mon 09:22").until("Mon 12:00")
    assert seen(stages_[1]) == seen(stages_[0])
    assert stages_[1].value() == 1


def test_a_series_of_which_a_source_has_a_row_of_its_own_is_left_to_the_evaluator():
    queue = SeriesKey("desk", "queue", ())
    rule = CallRule(id="queue", where=Filter(), by=(), windows=(DAY,), answer_within_ms=20_000)
    stages_ = both(agreement(rule))
    for stage in stages_:
        for item in (("a.b.1.0", 5), None):
            counts = (("answered", 1), ("answered_within", 1))
            stage.change(Change(queue, ms("Mon 09:00"), counts, 5, call=item))
        assert queue in stage.evaluator.beside(stage.book).with_items
        stage.restart()
        assert queue in stage.evaluator.beside(stage.book).with_items
        stage.look("Mon 10:00")
    assert seen(stages_[1]) == seen(stages_[0])


def test_a_series_whose_panes_are_gone_has_no_items_left():
    (stage, _) = both(desk(DAY))
    stage.change(Change(P1, ms("Mon 09:00"), (("met", 1),), 5, call=("c", 1)))
    for source, key in stage.sent:
        stage.evaluator.fold(source, key, None, stage.book)
    stage.look("Mon+49 00:00")
    assert stage.evaluator.beside(stage.book).with_items == set()
