"""How a metric is declared: its kind, its labels, its unit. The metrics themselves: `monitor.metrics.catalogue`."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from monitor.core.objectives.status import Verdict

Kind = Literal["gauge", "counter", "histogram"]
Unit = Literal["", "seconds", "ratio"]

PREFIX: Final = "sla_"
MAX_SERIES: Final = 5_000
"""The most series that one metric shows; the others are counted in ``sla_exporter_dropped_series``."""

ATTRIBUTES: Final = ("customer", "service", "priority", "queue", "team", "severity")
"""The attributes that are labels of their own; "" (to Prometheus: absent) where a measure is not split by them."""

SERIES: Final = ("agreement", "measure", "kind", *ATTRIBUTES, "other")
"""The labels of a series. ``kind`` is the subject that is measured: ticket, call, outage or lead. ``other`` holds the
further attributes by which a measure is split, as ``name=value`` joined with commas."""
WINDOWED: Final = (*SERIES, "window")
OBJECTIVE: Final = ("objective", "indicator", "comparison", *WINDOWED)
BUDGET: Final = ("objective", "unit", *WINDOWED)
CREDITS: Final = ("objective", "currency", *WINDOWED)
SPREAD: Final = (*WINDOWED, "at_most")
"""The labels of a spread of durations. ``at_most`` is the upper bound of the durations that are counted, in seconds."""
SOURCE: Final = ("topic", "partition")

CODES: Final[dict[Verdict, int]] = {
    "no_data": 0,
    "low_sample": 1,
    "met": 2,
    "on_track": 3,
    "at_risk": 4,
    "breached": 5,
}
"""Verdicts as numbers that can be drawn and compared: the more urgent, the larger."""
VERDICTS: Final[tuple[Verdict, ...]] = ("met", "on_track", "at_risk", "breached", "no_data", "low_sample")


class Metric(NamedTuple):
    """One metric: its full name (a counter's ends in ``_total``), kind, help, labels in their order, and unit."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    unit: Unit = ""


declared: dict[str, Metric] = {}
"""All metrics that were declared, by name, in the order of their declaration."""


def _declare(kind: Kind, name: str, text: str, labels: tuple[str, ...] = ()) -> Metric:
    stem = name.removesuffix("_total")
    units: tuple[Unit, ...] = ("seconds", "ratio")
    unit: Unit = next((one for one in units if stem.endswith(f"_{one}")), "")
    metric = Metric(PREFIX + name, kind, text, labels, unit)
    if metric.name in declared:
        raise ValueError(f"{metric.name} is declared twice")
    declared[metric.name] = metric
    return metric


def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Metric:
    """Declare a gauge."""
    return _declare("gauge", name, text, labels)


def counter(name: str, text: str, labels: tuple[str, ...] = ()) -> Metric:
    """Declare a counter; its name ends in ``_total``."""
    return _declare("counter", name, text, labels)


def histogram(name: str, text: str, labels: tuple[str, ...] = ()) -> Metric:
    """Declare a histogram."""
    return _declare("histogram", name, text, labels)
