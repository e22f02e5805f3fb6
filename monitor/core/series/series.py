"""Series: what the panes of a measure are made of, how they change, and under which keys they stand.

A source partition keeps, for each series (measure × label values), one pane per slice of time, and one *live* pane
of what is open now. It sends each changed pane, whole, as a partial; the evaluate agent keeps the newest pane of each
source and adds them up. So every number in a pane must be additive: counts, sums, sketch buckets, items by id.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, NamedTuple

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
"""The name under which the values of a measure that are not shown by themselves are counted together."""
_REST: Final = "(rest)"


def rest_of(series: SeriesKey) -> SeriesKey:
    """Return the series that counts a series together with all others of its measure that are not shown.

    It has one value more than ``by`` has attributes, so a customer who is really called ``other`` is another series.
    """
    return SeriesKey(series.agreement, series.measure, (*(OTHER for _ in series.values), _REST))


def is_rest(series: SeriesKey) -> bool:
    """Return whether a series is what `rest_of` returns."""
    values = series.values
    return len(values) > 1 and values[-1] == _REST and all(one == OTHER for one in values[:-1])


def labels_in(by: tuple[str, ...], series: SeriesKey) -> dict[str, str]:
    """Return the values of a series by the attributes that its measure is split by; those of the rest say so."""
    labels = dict(zip(by, series.values, strict=False))
    if is_rest(series):
        labels["rest"] = "true"
    return labels


class OutageRecord(NamedTuple):
    """An outage or a maintenance as an item of a pane. Instants in ms; 0 means "not yet".

    A record of the kind ``blind`` is a stretch in which the monitor saw nothing, ``[start_ms, restored_ms)``; one of
    the kind ``heard`` a stretch in which an event vouches that it saw anything (`monitor.core.outages.silence`).

    ``weights`` are ``(from_ms, weight)`` steps of the share that was down, 1.0 for all of it; the first is at the
    start, the outage ends at ``restored_ms`` (or is still open).
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
    """``(from_ms, number)`` steps of the customers that were interrupted; only where the agreement counts them."""
    customers_total: int = 0
    """How many customers there were, if the events told it; only where the agreement counts them."""
    parent: str = ""
    """The id of the outage that this one is a consequence of."""
    component: str = ""
    """The service, in a series of a composite service."""


class Pane(NamedTuple):
    """The additive content of a slice: counts and sums by name, sketch buckets, items by id.

    Counts of a clock measure: ``met``, ``breached``, ``elapsed_ms``, ``wall_ms`` (sums over both), ``flagged``; live:
    ``open``, ``paused``, ``at_risk``, ``overdue`` (overdue clocks are open too). The sketch holds elapsed times.
    Counts of a call measure, attributed to the instant a call was queued: ``answered``, ``answered_within``,
    ``abandoned``, ``abandoned_within`` (T), ``abandoned_short`` (s), ``transferred``, ``callback``, ``wait_ms``
    (sum over answered), ``waiting_beyond`` (still waiting, beyond T), ``lost``, ``flagged``; live: ``waiting`` and
    items ``call id -> queued_ms``. The sketch holds waits of answered calls.
    Counts of a lead measure and the instants they belong to: `monitor.core.leads.leads`; weights are thousandths,
    amounts cents; live: ``open``, ``waiting`` (for the first attempt), ``late``, ``following`` and items ``lead id ->
    handed_over_ms``. The sketch holds times to the first attempt. An outage measure has items ``outage id ->
    OutageRecord`` in the pane of the start, and live ``open`` and ``blind``.
    """

    counts: dict[str, int]
    buckets: dict[int, int]
    calls: dict[str, int]
    outages: dict[str, OutageRecord]


def empty_pane() -> Pane:
    """Return a pane with nothing in it."""
    return Pane({}, {}, {}, {})


Counts = tuple[tuple[str, int], ...]
"""What a change adds to the counts of a pane, by name."""


class Change(NamedTuple):
    """What one subject adds to (or takes out of) one series at one instant: `LIVE` or the instant it is attributed to.

    ``times`` is 1 to put it in and -1 to take exactly the same out again. ``value_ms`` goes into the sketch (-1:
    nothing). ``calls``/``outages`` items are set by id, or deleted when taken out.
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
    """Where a pane stands: series, width and start (0 for live).

    A pane whose items do not fit one row has several: one without ``part``, which holds its counts too, and one for
    each part, by the position of its first item (`monitor.core.series.parts`).
    """

    series: SeriesKey
    width: Width
    start_ms: int
    part: str = ""


Slice = tuple[Width, int, str]
"""A slice of time, by width and start, and what has a row of its own in it ("": all that has none)."""


@lru_cache(maxsize=1 << 13)
def slice_of(width: Width, start_ms: int, source: str = "") -> Slice:
    """Return a slice as one tuple for all series that have a pane of it."""
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
    start_ms, _, part = start.partition("/")
    return PaneKey(SeriesKey(agreement, measure, tuple(values)), width, int(start_ms), part)  # type: ignore[arg-type]
