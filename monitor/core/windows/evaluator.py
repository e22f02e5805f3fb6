"""The evaluate agent's fold: panes of all sources in; figures, verdicts, alerts and statements out.

One `Evaluator` works on one partition of the partials. Nothing here reads a clock: `Evaluator.evaluate` judges as of
the instant it is given, and `Evaluator.next_ms` returns when it must be called again.

The rules (formulas: `monitor.core.outages.figures`, verdicts and alerts: `monitor.core.objectives.verdicts`):

- **Version.** A running window is judged by the version whose text holds now, over the time in which it holds. A
  version counts for the time in which it held: a period with an amendment in it is stated in parts, or under the
  version at its end if the agreement says so (`monitor.core.windows.parts`). A draft is shown, but it neither announces
  nor states anything.
- **Beginning and end.** A window begins no earlier than the first version that is not a draft, and ends no later than
  the termination: a customer who joined in mid-month has a shorter period. When an agreement is terminated, its alerts
  end (``terminated``; in a calendar period with its close), its running periods are cut off at that instant and close
  after their lateness, and its windows are no longer shown.
- **Statements.** A period closes once, its allowed lateness after its end, also after a restart or a long stop: then
  all periods that ended meanwhile close in their order. Which periods are stated does not depend on when they are
  closed (`monitor.core.windows.closing`), nor do their figures: later corrections do not change a statement. An alert
  that is still open ends with its period (``period_closed``).
- **Budgets and consequences.** Each window shows the error budgets of its objectives; the longest window of an
  objective also shows the burn rates (`monitor.core.windows.budgets`). The consequences of a period are decided with
  its statement, in the same transaction, from the statement and the misses before it
  (`monitor.core.windows.consequences`).
- **Overdue clocks** count as breached in every window that holds now, and in a period at its close, as of the close.
- **Lives of series.** A series of clocks, calls or leads is shown as long as it has panes. A series of outages, or of
  a goal of leads, is shown as long as its agreement lasts: "no outage" and "no lead" are figures, "nothing measured" is
  not. If the agreement names the services, their series do not wait for a first outage, and a goal does not wait for
  its first lead: 100 %, or nothing delivered, is stated, too. Availability is counted from the start of the window or
  the beginning of the agreement, whichever is later. If the agreement limits the silence of a source, longer silence is
  blind time, also from the beginning on.
- **The rest.** A measure shows at most ``max_series`` series. All others are counted in one more, the rest
  (`monitor.core.windows.rest`). The rest is judged only by objectives that a part must have missed if the whole has,
  and it gives no credits.
- **Earlier instants.** If the instant is older than an earlier one (a source is catching up, and its watermark
  decides), closed periods stay closed and newer announcements remain.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

from monitor.core.agreements.measures import MEASURE_KINDS
from monitor.core.pieces import at_once, lots
from monitor.core.series.series import PaneKey, SeriesKey, decode_pane_key, empty_pane, is_rest, rest_of
from monitor.core.windows.beside import Beside
from monitor.core.windows.evaluation import Evaluation
from monitor.core.windows.rest import MOST_SERIES, Rest
from monitor.core.windows.rounds import Rounds
from monitor.core.windows.rows import MergedPane, WindowRow, decode_window_key
from monitor.core.windows.series import AsleepSeries, SeriesWindows
from monitor.core.windows.terms import Scope
from monitor.core.windows.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from monitor.core.agreements.book import Book
    from monitor.core.agreements.measures import MeasureKind
    from monitor.core.objectives.status import WindowStatus
    from monitor.core.pieces import Pieces
    from monitor.core.rows import Rows
    from monitor.core.series.series import Pane
    from monitor.core.time.windows import Width

__all__ = ["Evaluation", "Evaluator", "MergedPane", "WindowRow"]

_KEYS_AT_ONCE: Final = 512
"""The number of row keys that are read without a pause: 5 to 10 µs each."""
MOST_AWAKE: Final = 500
"""How many series of a partition keep panes and sums decoded between two evaluations, the oldest first. Each takes some
10 kB; the others are rebuilt from their rows when they change."""


class Evaluator:
    """Keeps the panes of all series of a partition, and judges series that changed or whose windows moved with time.

    ``rows`` holds the state that must survive a restart: a `MergedPane` for each pane (keys begin with ``w``), a
    `RestRow` for each pane of a series that is not shown by itself (``x``), and a `WindowRow` for each window with
    state (``v``). ``latest`` are the newest statuses by series and window name; after a restart it is complete once
    every series has been evaluated. Ages in ``WindowStatus.live`` are as of ``as_of_ms``: an open subject is not
    evaluated again merely because it gets older.

    ``owns`` decides, by an agreement's id, whether its series belong to this partition. The series of outages and of
    goals that such an agreement names are shown from its beginning (`Scope.foreseen`), if their kind is among
    ``foresees``. Without ``owns`` each series is shown from its first pane on. A measure shows at most ``max_series``
    series by themselves.

    With ``shows=False`` only alerts and statements are wanted, as in a replay: running windows without an objective are
    not judged, and `may_wait` tells which panes may be folded later. Set ``shows`` and call `touch_all` to have all of
    ``latest``. ``most_awake`` is the number of series that keep their panes decoded between two evaluations.
    """

    def __init__(
        self,
        rows: Rows,
        owns: Callable[[str], bool] | None = None,
        foresees: Collection[MeasureKind] = MEASURE_KINDS,
        *,
        max_series: int = MOST_SERIES,
        most_awake: int | None = None,
        shows: bool = True,
    ) -> None:
        self.latest: dict[tuple[SeriesKey, str], WindowStatus] = {}
        self._rows = rows
        self._series: dict[SeriesKey, SeriesWindows | AsleepSeries] = {}
        self._scope: Scope | None = None
        self._dirty: set[SeriesKey] = set()
        self._rounds = Rounds()
        self._wakes: list[tuple[int, SeriesKey]] = []
        self._watched_ms: dict[str, int] = {}
        """By agreement, the start of the oldest pane of any of its series."""
        self._owns = owns
        self._foresees = foresees
        self._foreseen: set[SeriesKey] = set()
        self.at_work: SeriesKey | None = None
        """The series that is being evaluated; None between evaluations."""
        self.left_alone: set[SeriesKey] = set()
        """Series that are no longer evaluated because their evaluation failed. Their panes are kept."""
        self._restless: set[SeriesKey] = set()
        """The series that keep their panes and sums decoded between two evaluations."""
        self._most_awake = MOST_AWAKE if most_awake is None else most_awake
        self._rest = Rest(rows, max_series)
        self._beside = Beside(self._rest.placed, set(), {}, self._dirty)
        self.shows = shows
        self._waiting = Waiting()

    def restore(self, keys: Iterable[bytes]) -> None:
        """Find the series by the keys of all rows; the rows are read only when they are needed."""
        at_once(self.restoring(keys))

    def restoring(self, keys: Iterable[bytes]) -> Pieces[None]:
        """Run ``restore`` in pieces. No other method may be called before the last piece."""
        for lot in lots(keys, _KEYS_AT_ONCE):
            for encoded in lot:
                self._note(encoded)
            yield
        self.touch_all()

    def _note(self, encoded: bytes) -> None:
        if encoded[:1] == b"w":
            series, width, start_ms, part = decode_pane_key(encoded)
            if width != "live":
                self.watch(series.agreement, start_ms)
            self._of(series).panes.note(width, start_ms, part)
            if part:
                self._beside.with_items.add(series)
            if not is_rest(series):
                self._rest.place(series)
        elif encoded[:1] == b"x":
            self._rest.note(decode_pane_key(encoded))
        elif encoded[:1] == b"v":
            series, window = decode_window_key(encoded)
            self._of(series).note(window)

    def fold(self, source: str, key: PaneKey, pane: Pane | None, book: Book) -> None:
        """Take over the newest pane of a source (topic and partition). None: the source no longer keeps it.

        The pane belongs to the evaluator from then on: the caller must not change it.
        """
        self._follow(book)
        of, width, start_ms, part = key
        if pane is not None and width != "live":
            self.watch(of.agreement, start_ms)
        if part:  # the parts of a pane are merged as if each were of a source of its own
            source = f"{source}#{part}"
        if of not in self._rest.placed and not self._finds_place(of, pane):
            self._fold_into_rest(source, key, pane)
            return
        series = self._of(of)
        if pane is None:
            has_changed = series.ended(source, width, start_ms, self._of_periods(of))
        else:
            if pane.calls or pane.outages:
                self._beside.with_items.add(of)
            has_changed = series.panes.replace(source, width, start_ms, pane)
        if has_changed:
            self._dirty.add(of)
            if (pane is None or not any(pane)) and not series.panes:
                self._rest.free(of)  # at once: it has no rows, so a restart would not restore its place either
        elif not series and of not in self._dirty and of not in self._foreseen:
            self._drop(of)
        elif of not in self._dirty:
            self._let_sleep(series)

    def beside(self, book: Book) -> Beside:
        """Return what work without `fold` goes by and notes; it tells `watch`, too. Ask before each piece of it."""
        self._follow(book)
        return self._beside

    def watch(self, agreement: str, start_ms: int) -> None:
        """Take note that something of an agreement was measured in a pane that starts at an instant."""
        known_ms = self._watched_ms.get(agreement)
        if known_ms is None or start_ms < known_ms:
            self._watched_ms[agreement] = start_ms

    def _finds_place(self, key: SeriesKey, pane: Pane | None) -> bool:
        """Give a series without a place one, if it may have one; return whether it is folded by itself."""
        assert self._scope is not None
        if pane is None or pane == empty_pane():
            return key not in self._rest
        if key.values and self._rest.is_full(key) and not (key in self._foreseen or self._scope.is_named(key)):
            return False
        self._rest.place(key)
        if key in self._rest:
            rest = self._of(rest_of(key))
            series = self._of(key)
            series.follow(rest)
            for source, width, start_ms, part in self._rest.leave(key):
                if part.calls or part.outages:
                    self._beside.with_items.add(key)
                rest.exchange(source, key.values, width, start_ms, part, empty_pane())
                series.panes.replace(source, width, start_ms, part)
            self._dirty.update((key, rest.key))
        return True

    def _fold_into_rest(self, source: str, key: PaneKey, pane: Pane | None) -> None:
        old = self._rest.exchange(key._replace(part=source), None if pane == empty_pane() else pane)
        if pane is None and old is None:
            return
        rest = self._of(rest_of(key.series))
        stated = () if pane is not None else self._of_periods(key.series)
        if rest.exchange(source, key.series.values, key.width, key.start_ms, old, pane, stated):
            self._dirty.add(rest.key)

    def _of_periods(self, series: SeriesKey) -> Collection[Width]:
        """Return the widths whose panes periods are made of; only asked for a pane that its source keeps no longer."""
        assert self._scope is not None
        return self._scope.period_widths(series)

    def may_wait(self, source: str, key: PaneKey, pane: Pane | None, now_ms: int) -> bool:
        """Return whether a pane that has changed by an instant may be folded later. It is known of from now on.

        If nothing is shown, panes may wait until their series is evaluated anyhow (`waking`), unless what they count
        may turn the verdict on an objective: what the series was in between is in no result.
        """
        series = key.series
        if self.shows or series not in self._series or series in self._dirty:
            return False
        if not self._waiting.allows(self._of(series), source, key, pane, now_ms):
            return False
        if key.width != "live":
            self.watch(series.agreement, key.start_ms)
        return True

    def waking(self, now_ms: int) -> list[SeriesKey]:
        """Return the series that `evaluate` will evaluate at an instant."""
        self._wake(now_ms)
        return sorted(self._dirty)

    def touch_all(self, *, prune: bool = False) -> None:
        """Mark every series to be evaluated again, and have it delete the panes that no window needs if asked to."""
        self._dirty.update(self._series)
        for key in self._series if prune else ():
            self._of(key).prune_soon()

    def evaluate(self, now_ms: int, book: Book, *, limit: int = 200) -> Evaluation:
        """Judge, as of an instant, the series that changed and those whose windows have moved with time.

        At most ``limit`` series are judged, in rounds: none a second time before all others once. A second evaluation
        without a change in between has no results.
        """
        return at_once(self.evaluating(now_ms, book, limit=limit))

    def evaluating(self, now_ms: int, book: Book, *, limit: int = 200) -> Pieces[Evaluation]:
        """Run ``evaluate`` in pieces: a series of 10^5 outages takes a second.

        Between two pieces nothing may be folded; `next_ms`, ``latest``, `spreads` and `places` may be read. A series
        stays in ``latest`` as it was until all its windows are judged. Results are put in the rows at once: if the work
        is cut off or fails, the rows must be taken back and the evaluator rebuilt, as after a failure of ``evaluate``.
        """
        self._follow(book)
        assert self._scope is not None
        self._wake(now_ms)
        found = Evaluation([], [], [], more=False)
        for _ in range(limit):
            key = self._rounds.next(self._dirty, self._scope)
            if key is None:
                break
            if key in self.left_alone:
                self._dirty.discard(key)
                continue
            self.at_work = key
            yield from self._evaluate(key, now_ms, self._scope, found)
            self.at_work = None
            yield
        return found._replace(more=bool(self._dirty))

    def _wake(self, now_ms: int) -> None:
        """Mark the series whose instant has come."""
        while self._wakes and self._wakes[0][0] <= now_ms:
            at_ms, key = heapq.heappop(self._wakes)
            series = self._series.get(key)
            if series is not None and series.next_ms == at_ms:
                self._of(key).next_ms = None
                self._dirty.add(key)

    def spreads(self, limit: int) -> dict[tuple[SeriesKey, str], dict[int, int]]:
        """Return the sketches of the durations in the shortest window of each series, by series and window name.

        At most ``limit`` of them, the oldest series first. The sketches are copies.
        """
        found: dict[tuple[SeriesKey, str], dict[int, int]] = {}
        for key, series in self._series.items():
            if len(found) >= limit:
                break
            spread = series.panes.spread() if isinstance(series, SeriesWindows) else None
            if spread is not None:
                window, buckets = spread
                found[key, window] = buckets
        return found

    def places(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Return, by agreement and measure, the number of series shown by themselves and of those in the rest."""
        return self._rest.counts()

    def next_ms(self, now_ms: int) -> int | None:
        """Return when `evaluate` must be called even if nothing is folded until then; None: never.

        That is the end of a pane or period, the close of a period, an amendment, or the expiry of panes. If work is
        waiting, the instant is not after ``now_ms``.
        """
        if self._dirty:
            return now_ms
        while self._wakes:
            at_ms, key = self._wakes[0]
            series = self._series.get(key)
            if series is not None and series.next_ms == at_ms:
                return at_ms
            heapq.heappop(self._wakes)
        return None

    def _evaluate(self, key: SeriesKey, now_ms: int, scope: Scope, found: Evaluation) -> Pieces[None]:
        series = self._of(key)
        series.parts = self._rest.size(key) if is_rest(key) else 0
        self._dirty.discard(key)
        before_ms = series.next_ms
        watched_ms, closes_ms = self._watched_ms.get(key.agreement), self._rounds.closes_ms(key)
        statuses, alerts, ended = yield from series.evaluate(
            now_ms, scope, watched_ms, shows=self.shows, closes_ms=closes_ms
        )
        self._rounds.judged(key, series.held_ms)
        self._waiting.judged(series)
        found.statuses.extend(statuses)
        found.alerts.extend(alerts)
        for window in ended:
            found.ended.append((key, window))
            self.latest.pop((key, window), None)
        for window, status in series.latest.items():
            self.latest[key, window] = status
        if series.unfinished:
            self._dirty.add(key)
        if not series.panes:
            self._rest.free(key)
        if not series and key not in self._foreseen:
            self._drop(key)
        elif series.next_ms is not None and series.next_ms != before_ms:
            heapq.heappush(self._wakes, (series.next_ms, key))
        if key in self._series and key not in self._dirty:
            self._let_sleep(series)

    def _follow(self, book: Book) -> None:
        if self._scope is None or self._scope.book is not book:
            self._scope = Scope(book)
            if self._owns is not None:
                self._foreseen = {
                    series
                    for agreement_id in {one.id for one in book.agreements}
                    if self._owns(agreement_id)
                    for series in self._scope.foreseen(agreement_id, self._foresees)
                }
                for series in self._foreseen:
                    self._of(series)
            self.touch_all()

    def _of(self, key: SeriesKey) -> SeriesWindows:
        series = self._series.get(key)
        if not isinstance(series, SeriesWindows):
            series = self._series[key] = self._awake(key, series)
        if self._beside.panes:
            for width, start_ms in self._beside.panes.pop(key, ()):
                series.panes.replaced(width, start_ms)
        return series

    def _awake(self, key: SeriesKey, asleep: AsleepSeries | None) -> SeriesWindows:
        if asleep is not None:
            return SeriesWindows.awake(key, self._rows, asleep)
        if len(self._restless) < self._most_awake:
            self._restless.add(key)
        return SeriesWindows(key, self._rows)

    def _let_sleep(self, series: SeriesWindows) -> None:
        if series.key not in self._restless:
            self._series[series.key] = series.asleep()

    def _drop(self, key: SeriesKey) -> None:
        del self._series[key]
        self._restless.discard(key)
        self._beside.with_items.discard(key)
        self._waiting.forget(key)
