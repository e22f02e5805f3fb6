"""Series: the panes of a measure, their contents, their changes and their keys.

A source partition keeps, for each series (measure × label values), one pane per slice of time, and one *live* pane for
open subjects. It sends each changed pane, whole, as a partial. The evaluate agent keeps the newest pane of each source
and adds them up. So every number in a pane must be additive: counts, sums, sketch buckets, items by id.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

from monitor.core.time.windows import Width

LIVE: Final = -1
"""The instant of a change that belongs to the live pane."""


class SeriesKey(NamedTuple):
    """One series: the agreement, the measure, and the values of the measure's ``by`` attributes, in their order.

    An attribute that a subject lacks has the value "" (empty).
    """

    agreement: str
    measure: str
    values: tuple[str, ...]


OTHER: Final = "other"
"""The value in the key of the rest, which counts together the series that a measure does not show."""
_REST: Final = "(rest)"


def rest_of(series: SeriesKey) -> SeriesKey:
    """Return the rest of a series' measure: the series that counts together all series that are not shown.

    It has one value more than ``by`` has attributes, so a customer who is really called ``other`` has another series.
    """
    return SeriesKey(series.agreement, series.measure, (*(OTHER for _ in series.values), _REST))


def is_rest(series: SeriesKey) -> bool:
    """Return whether a series is the rest of a measure (`rest_of`)."""
    values = series.values
    return len(values) > 1 and values[-1] == _REST and all(one == OTHER for one in values[:-1])


def labels_in(by: tuple[str, ...], series: SeriesKey) -> dict[str, str]:
    """Return the values of a series by the attributes that split its measure; the rest has the label ``rest`` too."""
    labels = dict(zip(by, series.values, strict=False))
    if is_rest(series):
        labels["rest"] = "true"
    return labels


class OutageRecord(NamedTuple):
    """An outage or a maintenance as an item of a pane. Instants in ms; 0 means "not yet".

    A record of the kind ``blind`` is a stretch in which the monitor saw nothing, ``[start_ms, restored_ms)``. A record
    of the kind ``heard`` is a stretch in which the service counts as monitored because of an event
    (`monitor.core.outages.silence`).

    ``weights`` are ``(from_ms, weight)`` steps of the share that was down, 1.0 for all of it. The first step is at the
    start; the outage ends at ``restored_ms`` (or is still open).
    """

    kind: Literal["outage", "maintenance", "blind", "heard"]
    start_ms: int
    acknowledged_ms: int = 0
    responded_ms: int = 0
    restored_ms: int = 0
    resolved_ms: int = 0
    weights: tuple[tuple[int, float], ...] = ()
    announced_ms: int = 0
    """Maintenance only: when it was announced. Its window is ``[start_ms, restored_ms)``."""
    customers: tuple[tuple[int, int], ...] = ()
    """``(from_ms, number)`` steps of the customers interrupted; only if the agreement counts customers."""
    customers_total: int = 0
    """The number of all customers, if an event held it; only if the agreement counts customers."""
    parent: str = ""
    """The id of the outage of which this one may be a consequence."""
    component: str = ""
    """The service of the outage, in the series of a composite service."""


class Pane(NamedTuple):
    """The additive content of a slice: counts and sums by name, sketch buckets, items by id; the longest durations.

    Counts of a clock measure: ``met``, ``breached``, ``elapsed_ms``, ``wall_ms`` (sums over both), ``flagged``,
    ``late_ms`` (only if the rule asks for it: the sum of the time by which targets were missed); live: ``open``,
    ``paused``, ``at_risk``, ``overdue`` (overdue clocks are open too). The sketch holds elapsed times.
    Counts of a call measure, attributed to the instant a call was queued: ``answered``, ``answered_within``,
    ``abandoned``, ``abandoned_within`` (T), ``abandoned_short`` (s), ``transferred``, ``callback``, ``wait_ms``
    (sum over answered), ``waiting_beyond`` (still waiting, beyond T), ``lost``, ``flagged``; live: ``waiting`` and
    items ``call id -> queued_ms``. The sketch holds waits of answered calls.
    Counts of a lead measure and the instants they belong to: `monitor.core.leads.leads`; weights are thousandths,
    amounts cents; live: ``open``, ``waiting`` (for the first attempt), ``late``, ``following`` and items ``lead id ->
    handed_over_ms``. The sketch holds times to the first attempt. An outage measure has items ``outage id ->
    OutageRecord`` in the pane of the start, and live ``open`` and ``blind``.
    If objectives promise percentiles, durations near their targets are counted too (`monitor.core.series.durations`).
    """

    counts: dict[str, int]
    buckets: dict[int, int]
    calls: dict[str, int]
    outages: dict[str, OutageRecord]
    longest: dict[int, int]
    """The longest durations of the sketch, exactly (`monitor.core.series.longest`)."""


def empty_pane() -> Pane:
    """Return a pane with nothing in it."""
    return Pane({}, {}, {}, {}, {})


Counts = tuple[tuple[str, int], ...]
"""The numbers that a change adds to the counts of a pane, by name."""


class Change(NamedTuple):
    """The contribution of one subject to one series at one instant (`LIVE`: in the live pane).

    ``times`` is 1 to put it in and -1 to take exactly the same contribution out again. ``value_ms`` is the duration for
    the sketch (-1: none). ``call`` and ``outage`` are items: set by id when put in, deleted when taken out.
    """

    series: SeriesKey
    at_ms: int
    counts: Counts
    value_ms: int = -1
    call: tuple[str, int] | None = None
    outage: tuple[str, OutageRecord] | None = None
    times: int = 1

    def undone(self) -> Change:
        """Return the change that takes this one back."""
        return tuple.__new__(Change, (*self[:6], -self.times))


class PaneKey(NamedTuple):
    """The key of a pane: series, width and start (0 for live).

    A pane whose items do not fit one row has several rows: one without ``part``, which also holds the counts, and one
    for each part, named by the position of its first item (`monitor.core.series.parts`).
    """

    series: SeriesKey
    width: Width
    start_ms: int
    part: str = ""


Slice = tuple[Width, int, str]
"""A slice of time by width and start, and the source that has a row of its own in it ("": the shared row)."""


@lru_cache(maxsize=1 << 13)
def slice_of(width: Width, start_ms: int, source: str = "") -> Slice:
    """Return a slice as one cached tuple, shared by all series that have a pane of it."""
    return width, start_ms, source


_SEPARATOR: Final = "\x1f"  # "unit separator": the wire refuses control characters in attributes and ids


@lru_cache(maxsize=1 << 13)
def encode_pane_key(key: PaneKey) -> bytes:
    """Return the pane's row key, ``p`` + its fields joined with the unit separator."""
    series = key.series
    start = f"{key.start_ms}/{key.part}" if key.part else str(key.start_ms)
    parts = (series.agreement, series.measure, key.width, start, *series.values)
    return b"p" + _SEPARATOR.join(parts).encode()


@lru_cache(maxsize=1 << 13)
def decode_pane_key(encoded: bytes) -> PaneKey:
    """Return the key that `encode_pane_key` made."""
    agreement, measure, width, start, *values = encoded[1:].decode().split(_SEPARATOR)
    part = ""
    if "/" in start:
        start, _, part = start.partition("/")
    series = _new(SeriesKey, (agreement, measure, tuple(values)))
    key: PaneKey = _new(PaneKey, (series, width, int(start), part))
    return key


_new: Final[Callable[..., Any]] = tuple.__new__
"""Makes the tuples of the hot path directly: their constructors take three times as long."""
