"""The pictures of a report, as SVG. The same report gives the same bytes: no dates, no random ids.

Names in them are other people's: they are drawn as glyphs, never read as mathematical markup.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from monitor.core.time.units import HOUR_MS, MINUTE_MS
from monitor.reports.leads import LeadPart
from monitor.reports.objectives import KEPT, ObjectivePart, Past
from monitor.reports.outages import ServiceAxis
from monitor.reports.period import Period
from monitor.reports.words import local
from monitor.wire.times import duration

WIDTH: Final = 7.1
"""Inches: the width of the text of an A4 page."""
GOOD, BAD, WARN, NEUTRAL, INK, GRID, ACCENT = (
    "#2f855a", "#c53030", "#b7791f", "#a0aec0", "#2d3748", "#e2e8f0", "#2b6cb0",
)  # fmt: skip
SERIES_DRAWN: Final = 4
"""With more series a trend shows how many of them were kept, not each of them."""
AXES_DRAWN: Final = 18
_ALL_PERCENT: Final = 100
_COLOURS: Final = {
    "met": GOOD, "on_track": GOOD, "at_risk": WARN, "breached": BAD, "no_data": NEUTRAL, "low_sample": NEUTRAL,
    "provisional": NEUTRAL, "": NEUTRAL,
}  # fmt: skip
_LINES: Final = (ACCENT, "#805ad5", "#319795", "#975a16")
_STYLE: Final[Any] = {
    "svg.hashsalt": "sla-monitor",
    "svg.fonttype": "path",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.edgecolor": "#cbd5e0",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.linewidth": 0.6,
    "grid.color": GRID,
    "grid.linewidth": 0.5,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "legend.frameon": False,
    "legend.fontsize": 7,
}


@contextmanager
def _drawing(height: float, drawn: list[bytes]) -> Iterator[tuple[Figure, Axes]]:
    """Give a figure to draw on, and its SVG when that is done."""
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name in a script that the font lacks is drawn as boxes
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        yield figure, figure.subplots()
        target = io.BytesIO()
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
        drawn.append(target.getvalue())


def trend(part: ObjectivePart) -> bytes | None:
    """Return the last periods of an objective: its values against the target, or how many series were kept.

    None where there is nothing to compare: a single period of a single series is a number, not a picture.
    """
    rows = [one for one in part.rows if any(past.value is not None for past in one.past)]
    if not rows or max(len(one.past) for one in rows) < 2:  # noqa: PLR2004 - a trend has two ends
        return None
    names = [past.name for past in max((one.past for one in rows), key=len)]
    drawn: list[bytes] = []
    with _drawing(1.75, drawn) as (_, axes):
        axes.set_xlim(-0.5, len(names) - 0.5)
        axes.set_xticks(range(len(names)), names)
        axes.grid(axis="x", visible=False)
        if len(rows) > SERIES_DRAWN:
            _counts(axes, [one.past for one in part.rows], names)
        else:
            scale, _ = _scale(part.unit, [past.value for one in rows for past in one.past if past.value is not None])
            for place, row in enumerate(rows):
                _line(axes, row.past, names, scale, _LINES[place], _short(row.about, 26) if len(rows) > 1 else "")
            _target(axes, max((one.past for one in rows), key=len), names, scale, rows[0].verdict.target)
            _unit_axis(axes, part.unit, [past.value for one in rows for past in one.past if past.value is not None])
            axes.margins(y=0.18)
            if part.unit == "ratio" and axes.dataLim.y1 <= _ALL_PERCENT < axes.get_ylim()[1]:
                axes.set_ylim(top=_ALL_PERCENT + (_ALL_PERCENT - axes.get_ylim()[0]) / 25)
            handles, labels = axes.get_legend_handles_labels()
            axes.legend(handles, labels, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return drawn[0]


def _line(axes: Axes, past: Sequence[Past], names: Sequence[str], scale: float, colour: str, label: str) -> None:
    first = len(names) - len(past)
    xs = [first + place for place in range(len(past))]
    ys = [float("nan") if one.value is None else one.value / scale for one in past]
    axes.plot(xs, ys, color=colour, linewidth=1.4, label=label or "value", zorder=2)
    axes.scatter(xs, ys, c=[_COLOURS.get(one.verdict, NEUTRAL) for one in past], s=22, zorder=3, linewidths=0)


def _target(axes: Axes, past: Sequence[Past], names: Sequence[str], scale: float, target: float) -> None:
    first = len(names) - len(past)
    known = [target if one.target is None else one.target for one in past]
    edges = [first - 0.5 + place for place in range(len(known) + 1)]
    axes.stairs(
        [one / scale for one in known], edges, baseline=None, color=INK, linewidth=0.9, linestyle="--", label="target"
    )


def _counts(axes: Axes, pasts: Sequence[Sequence[Past]], names: Sequence[str]) -> None:
    kept, missed, other = ([0] * len(names) for _ in range(3))
    for past in pasts:
        for place, one in enumerate(past, len(names) - len(past)):
            if one.verdict:
                of = kept if one.verdict in KEPT else missed if one.verdict == "breached" else other
                of[place] += 1
    below = [0] * len(names)
    for numbers, colour, label in ((kept, GOOD, "kept"), (missed, BAD, "missed"), (other, NEUTRAL, "not judged")):
        axes.bar(range(len(names)), numbers, bottom=below, color=colour, width=0.62, label=label)
        below = [one + more for one, more in zip(below, numbers, strict=True)]
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    axes.set_ylabel("series")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _scale(unit: str, values: Sequence[float]) -> tuple[float, str]:
    """Return by what values are divided to be shown on an axis, and the unit that they have then."""
    if unit == "ratio":
        return 0.01, "%"
    largest = max(map(abs, values), default=0.0)
    if unit == "ms":
        if largest >= 2 * HOUR_MS:
            return HOUR_MS, "h"
        return (MINUTE_MS, "min") if largest >= 2 * MINUTE_MS else (1000, "s")
    return 1, ""


def _unit_axis(axes: Axes, unit: str, values: Sequence[float]) -> None:
    word = _scale(unit, values)[1]
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    sign = f" {word}" if word else ""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}{sign}"))


def outages(axes_of: Sequence[ServiceAxis], period: Period) -> bytes | None:
    """Return the time axis of services in a period: down, announced maintenance, not watched."""
    shown = [one for one in axes_of if one.stretches][:AXES_DRAWN]
    if not shown:
        return None
    drawn: list[bytes] = []
    begin, end = (_day(at_ms, period) for at_ms in (period.from_ms, period.to_ms))
    with _drawing(0.75 + 0.24 * len(shown), drawn) as (_, axes):
        least = (end - begin) / 700  # an outage of a minute is seen in a month, too
        for place, service in enumerate(shown):
            for one in service.stretches:
                start = _day(one.from_ms, period)
                width = max(least, _day(one.to_ms, period) - start)
                colour, height = {"outage": (BAD, 0.62), "maintenance": (ACCENT, 0.4), "blind": (NEUTRAL, 0.78)}[
                    one.kind
                ]
                alpha = 0.35 + 0.65 * min(1.0, one.weight) if one.kind == "outage" else 0.8
                axes.broken_barh(
                    [(start, width)], (place - height / 2, height), facecolors=colour, alpha=alpha, linewidth=0,
                    zorder={"blind": 1, "maintenance": 2, "outage": 3}[one.kind],
                )  # fmt: skip
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_yticks(range(len(shown)), [_short(one.about, 28) for one in shown])
        axes.set_xlim(begin, end)
        _dates(axes)
        axes.legend(
            handles=[Patch(color=BAD, label="down"), Patch(color=ACCENT, label="announced maintenance"),
                     Patch(color=NEUTRAL, label="not watched")],
            loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3,
        )  # fmt: skip
    return drawn[0]


def _dates(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=5, maxticks=11)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]


def _day(at_ms: int, period: Period) -> float:
    """Return an instant as days on the clocks of the period's zone, as matplotlib counts them."""
    return float(mpl.dates.date2num(local(at_ms, period.zone)))  # type: ignore[no-untyped-call]


def speed(part: LeadPart) -> bytes | None:
    """Return how soon leads were followed up, against the time promised."""
    if not part.speed:
        return None
    classes = list(part.speed)
    names = [
        f"≤ {duration(one.to_ms)}" if one.to_ms is not None else f"> {duration(classes[place - 1].to_ms or 0)}"
        for place, one in enumerate(classes)
    ]
    counts = [one.leads for one in classes]
    colours = [GOOD if one.kept else BAD for one in classes]
    if part.waiting:
        names, counts, colours = [*names, "not yet"], [*counts, part.waiting], [*colours, NEUTRAL]
    drawn: list[bytes] = []
    with _drawing(1.9, drawn) as (_, axes):
        _bars(axes, names, counts, colours)
        axes.set_xlabel("business time from the hand-over to the first attempt by a person")
        if part.promised_ms:
            edge = sum(one.kept for one in classes) - 0.5
            axes.axvline(edge, color=INK, linestyle="--", linewidth=0.9)
            axes.text(
                edge + 0.08,
                0.97,
                f"promised: {duration(part.promised_ms)}",
                va="top",
                transform=axes.get_xaxis_transform(),
            )
    return drawn[0]


def depth(part: LeadPart) -> bytes | None:
    """Return how often leads were tried, against the number of attempts promised."""
    if not any(one.leads for one in part.depth):
        return None
    names = [f"{one.attempts}{' or more' if one is part.depth[-1] else ''}" for one in part.depth]
    drawn: list[bytes] = []
    with _drawing(1.9, drawn) as (_, axes):
        _bars(axes, names, [one.leads for one in part.depth], [ACCENT] * len(names))
        axes.set_xlabel(
            f"attempts within {duration(part.within_ms, days=True)} of the hand-over, until the lead was reached"
        )
        axes.axvline(part.attempts - 0.5, color=INK, linestyle="--", linewidth=0.9)
        axes.text(
            part.attempts - 0.42, 0.97, f"promised, unless reached before: {part.attempts}", va="top",
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    return drawn[0]


def _bars(axes: Axes, names: Sequence[str], counts: Sequence[int], colours: Sequence[str]) -> None:
    bars = axes.bar(range(len(names)), counts, color=colours, width=0.72)
    axes.bar_label(bars, [f"{one:,}" if one else "" for one in counts], padding=1, fontsize=7)
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("leads")
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
    axes.margins(y=0.22)


def pace(part: LeadPart, period: Period) -> bytes | None:
    """Return the leads delivered day by day, against those needed to date."""
    if not part.days:
        return None
    drawn: list[bytes] = []
    with _drawing(1.9, drawn) as (_, axes):
        ends = [_day(one.end_ms - 1, period) for one in part.days]
        needed, delivered = [one.needed for one in part.days], [one.delivered for one in part.days]
        axes.plot(ends, needed, color=INK, linestyle="--", linewidth=0.9, label="needed to date")
        known = [(at, one) for at, one in zip(ends, delivered, strict=True) if one is not None]
        axes.plot([at for at, _ in known], [one for _, one in known], color=ACCENT, linewidth=1.6, label="delivered")
        axes.fill_between(
            [at for at, _ in known],
            [one for _, one in known],
            needed[: len(known)],
            color=ACCENT,
            alpha=0.1,
            linewidth=0,
        )
        _dates(axes)
        axes.set_ylim(bottom=0)
        axes.set_ylabel("leads, by weight")
        axes.legend(loc="upper left")
    return drawn[0]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
