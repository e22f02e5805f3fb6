"""The longest durations of a pane, kept exactly beside its sketch (domain.md §7).

A pane lists its `MOST` longest distinct durations, each with the number of times it was measured. Under the key `FROM`
stands the shortest duration from which on all durations are listed (absent: 0, so all of them are). A duration below it
was left out, because longer ones filled the list.

So a duration that is taken out again, because a ticket was reopened, leaves the next longest behind. Lists are merged
in any order with the same result. If corrections take out every duration that is listed while shorter ones remain, the
longest is not known exactly any more; the sketch then estimates it. The list begins anew once the pane is empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.core.series import sketch

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 8
"""The most durations that are listed: so many distinct ones must be taken out before the longest is unknown."""
FROM: Final = -1
"""The key of the shortest duration from which on all are listed. No duration is negative."""


def count(listed: dict[int, int], value_ms: int, n: int) -> None:
    """Put a duration in ``n`` times; a negative ``n`` takes it out. Durations below `FROM` are left out."""
    if value_ms < listed.get(FROM, 0):
        return
    held = listed.get(value_ms, 0) + n
    if held:
        listed[value_ms] = held
        if len(listed) > MOST:
            _shorten(listed)
    else:
        del listed[value_ms]


def merge(into: dict[int, int], other: Mapping[int, int], times: int = 1) -> None:
    """Add the durations of another pane to a list; with ``times`` -1 take them out."""
    from_ms = other.get(FROM, 0)
    if from_ms > into.get(FROM, 0):
        for value_ms in [one for one in into if one < from_ms]:
            del into[value_ms]
        into[FROM] = from_ms
    for value_ms, n in other.items():
        if value_ms != FROM:
            count(into, value_ms, n * times)


def longest_of(listed: Mapping[int, int]) -> int | None:
    """Return the longest duration; None: it is not known exactly, or there is none."""
    longest_ms = max(listed, default=FROM)
    return None if longest_ms == FROM else longest_ms


def unlisted(buckets: Mapping[int, int]) -> dict[int, int]:
    """Return the list of a pane that was kept without one: nothing is known but that no duration is longer."""
    return {FROM: sketch.above(max(buckets))} if buckets else {}


def _shorten(listed: dict[int, int]) -> None:
    """Leave out the shortest of more than `MOST` durations."""
    if FROM in listed:
        if len(listed) == MOST + 1:
            return
        del listed[FROM]
    shortest_ms = min(listed)
    del listed[shortest_ms]
    listed[FROM] = shortest_ms + 1
