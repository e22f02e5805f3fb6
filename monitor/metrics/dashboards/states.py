"""Panels of states over time, and of how durations were spread over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from monitor.metrics.dashboards.panels import (
    COUNT,
    GREY,
    NOTHING,
    SECONDS,
    TO_AGREEMENT,
    VERDICTS,
    Json,
    Query,
    panel_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


MOST_ROWS: Final = 8
"""The rows of a timeline that can be read."""


def timeline(
    title: str,
    text: str,
    query: Query,
    mappings: Sequence[Json] = VERDICTS,
    *,
    linked: bool = True,
    none: str = NOTHING,
) -> Json:
    """Return states over time, one row a series; those beyond `MOST_ROWS` on further pages (Grafana 11.2 and later)."""
    options = {
        "perPage": MOST_ROWS,
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.85,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel_of("state-timeline", title, text, [query], options, _states(mappings, linked=linked, none=none))


def history(title: str, text: str, query: Query, mappings: Sequence[Json], *, linked: bool = True) -> Json:
    """Return states at regular instants, one row a series."""
    options = {
        "showValue": "never",
        "rowHeight": 0.85,
        "colWidth": 0.9,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    states_ = _states(mappings, linked=linked, none=NOTHING)
    return panel_of("status-history", title, text, [query], options, states_) | {"maxDataPoints": 60}


def heatmap(title: str, text: str, query: Query, cells: str, *, none: str = NOTHING) -> Json:
    """Return how durations were spread, over time. The query gives cumulated counts, by upper bound ``le`` in seconds.

    ``cells`` describes the number in a cell.
    """
    options = {
        "calculate": False,
        "cellGap": 1,
        "cellValues": {"unit": COUNT, "decimals": 0},
        "color": {
            "mode": "scheme", "scheme": "Oranges", "fill": "dark-orange", "scale": "exponential", "exponent": 0.5,
            "steps": 64, "reverse": False,
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto", "value": cells},
        "showValue": "never",
        "tooltip": {"show": True, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": SECONDS},
    }  # fmt: skip
    custom = {"scaleDistribution": {"type": "linear"}}
    panel = panel_of(
        "heatmap", title, text, [query._replace(legend="{{le}}")], options,
        {"unit": COUNT, "noValue": none, "custom": custom},
    )  # fmt: skip
    panel["targets"][0]["format"] = "heatmap"
    return panel | {"maxDataPoints": 120}


def _states(mappings: Sequence[Json], *, linked: bool, none: str) -> Json:
    return {
        "unit": COUNT,
        "noValue": none,
        "mappings": list(mappings),
        # By thresholds, neighbours that are merged would have their colours and texts, not those of the mappings.
        "color": {"mode": "fixed", "fixedColor": GREY},
        "links": [TO_AGREEMENT] if linked else [],
        "custom": {"lineWidth": 0, "fillOpacity": 75},
    }


def states(**looks: tuple[int, str, str]) -> list[Json]:
    """Return mappings of numbers to words and colours: ``name=(number, text, colour)``."""
    options: Mapping[str, Json] = {
        str(number): {"text": text, "color": color, "index": number} for number, text, color in looks.values()
    }
    return [{"type": "value", "options": dict(options)}]
