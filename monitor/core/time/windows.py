"""Windows: the spans in which figures are counted, and the width of the panes that they are made of."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS

WindowKind = Literal["rolling", "tumbling", "day", "week", "month", "quarter", "year"]
TUMBLING: Final = "tumbling-"
"""The prefix of a tumbling window's name; its length follows."""
COHORT: Final = "+"
"""Stands in a window's name before the promise whose cohorts it states: ``month+follow_up``."""
Width = Literal["live", "minute", "quarter", "hour", "day"]
WIDTH_MS: Final[dict[Width, int]] = {"minute": MINUTE_MS, "quarter": 15 * MINUTE_MS, "hour": HOUR_MS}
"""Panes of fixed width; a ``day`` is a local day in the agreement's zone, ``live`` has no width."""


class Window(NamedTuple):
    """A window in which figures are counted: rolling or tumbling (of ``length_ms``), or a calendar period.

    With a ``cohort`` it is the period's second statement: that of a promise which outlasts the period
    (`monitor.core.agreements.cohorts`). It has no running state of its own.
    """

    kind: WindowKind
    length_ms: int = 0
    cohort: str = ""

    @property
    def name(self) -> str:
        """The window's name in files, topics and metrics: ``30m``, ``24h``, ``tumbling-4h``, ``day``, ``month`` …."""
        if self.cohort:
            return f"{self.period.name}{COHORT}{self.cohort}"
        if self.kind == "tumbling":
            return f"{TUMBLING}{Window('rolling', self.length_ms).name}"
        if self.kind != "rolling":
            return self.kind
        hours, rest = divmod(self.length_ms, HOUR_MS)
        if rest:
            return f"{self.length_ms // MINUTE_MS}m"
        return f"{hours // 24}d" if hours % 24 == 0 and hours > 24 else f"{hours}h"  # noqa: PLR2004

    @property
    def period(self) -> Window:
        """The window itself, without a cohort."""
        return Window(self.kind, self.length_ms)


_UNITS_MS: Final = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


def rolling_ms(name: str) -> int | None:
    """Return the length of the rolling window of a name (``30m``, ``24h``, ``30d``); None: it names another window."""
    number, unit = name[:-1], _UNITS_MS.get(name[-1:])
    return int(number) * unit if unit is not None and number.isascii() and number.isdigit() else None


def late_width(window: Window) -> Width:
    """Return the width of the panes of what became known after a window's periods had closed: ``day~month``."""
    return f"{width_for(window)}~{window.name}"  # type: ignore[return-value]  # one for each window


def own_width(width: str) -> Width:
    """Return the width of the panes that a late pane belongs to, and any other width as it is."""
    return width.partition("~")[0]  # type: ignore[return-value]  # the part before is one


def width_for(window: Window) -> Width:
    """Return the width of a window's panes: a minute up to 2 h, 15 minutes up to 48 h, else an hour; periods: a day."""
    if not window.length_ms:  # a calendar period
        return "day"
    if window.length_ms <= 2 * HOUR_MS:
        return "minute"
    return "quarter" if window.length_ms <= 48 * HOUR_MS else "hour"
