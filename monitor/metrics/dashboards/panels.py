"""Panels: the JSON for each kind of panel. It uses only core panels and options that Grafana 9.4 and later know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from monitor.metrics.dashboards.promql import CODES

Json = dict[str, Any]

DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}

GREEN, ORANGE, RED, BLUE, GREY = "green", "orange", "red", "blue", "#8e8e8e"

COUNT: Final = "short"
RATIO: Final = "percentunit"
SECONDS: Final = "s"

VERDICT_LOOKS: Final = {
    "no_data": ("no data", GREY),
    "low_sample": ("low sample", "super-light-blue"),
    "met": ("met", "semi-dark-green"),
    "on_track": ("on track", GREEN),
    "at_risk": ("at risk", ORANGE),
    "breached": ("breached", RED),
}
VERDICTS: Final[list[Json]] = [
    {
        "type": "value",
        "options": {
            str(code): {"text": VERDICT_LOOKS[word][0], "color": VERDICT_LOOKS[word][1], "index": code}
            for word, code in CODES.items()
        },
    }
]
"""The codes of verdicts as words and colours."""


class Query(NamedTuple):
    """One query of a panel. ``legend`` names its series, with ``{{label}}``; ``ref`` tells it from the others.

    ``target`` says that it draws a promise: a dashed line in that colour.
    """

    expr: str
    legend: str = ""
    ref: str = "A"
    target: str = ""


def link(title: str, url: str) -> Json:
    """Return a link from a value."""
    return {"title": title, "url": url, "targetBlank": False}


TO_AGREEMENT: Final = link(
    "Agreement ${__field.labels.agreement}",
    "/d/sla-overview?var-agreement=${__field.labels.agreement}&${__url_time_range}",
)
"""From a series to the overview of its agreement."""


def steps(first: str, *others: tuple[float, str]) -> Json:
    """Return thresholds: the colour of the lowest values, and from where on which colours follow."""
    found: list[Json] = [{"color": first, "value": None}, *({"color": color, "value": at} for at, color in others)]
    return {"mode": "absolute", "steps": found}


ANY_IS_BAD: Final = steps(GREEN, (1, RED))
ANY_IS_WARNING: Final = steps(GREEN, (1, ORANGE))
NEUTRAL: Final = steps(BLUE)
EACH_MINUTE: Final = {"interval": "1m"}
"""For panels of increases: no two columns count the same."""
QUIET: Final = steps(GREEN, (900, ORANGE), (3600, RED))
"""How many seconds without an event are unusual."""


def stat(
    title: str, text: str, query: Query, unit: str = COUNT, thresholds: Json = NEUTRAL, *, decimals: int | None = None
) -> Json:
    """Return one large number."""
    options = {
        "graphMode": "area",
        "colorMode": "background",
        "justifyMode": "auto",
        "textMode": "value",
        "orientation": "auto",
        "reduceOptions": _LAST,
    }
    return panel_of("stat", title, text, [query], options, _defaults(unit, thresholds, decimals=decimals))


def gauge(title: str, text: str, query: Query, thresholds: Json) -> Json:
    """Return a share as the hand of a dial."""
    options = {
        "orientation": "auto",
        "showThresholdLabels": False,
        "showThresholdMarkers": True,
        "reduceOptions": _LAST,
    }
    return panel_of("gauge", title, text, [query], options, _defaults(RATIO, thresholds, least=0, most=1, decimals=0))


def bars(
    title: str, text: str, query: Query | list[Query], unit: str, *, most: float | None = None, linked: bool = True
) -> Json:
    """Return the newest values as bars beside their names."""
    options = {
        "displayMode": "basic",
        "valueMode": "color",
        "showUnfilled": True,
        "minVizWidth": 8,
        "minVizHeight": 16,
        "orientation": "horizontal",
        "reduceOptions": _LAST,
    }
    defaults = _defaults(unit, NEUTRAL, least=0, most=most, links=[TO_AGREEMENT] if linked else ())
    queries = query if isinstance(query, list) else [query]
    return panel_of("bargauge", title, text, queries, options, defaults)


def lines(
    title: str,
    text: str,
    queries: Sequence[Query],
    unit: str,
    *,
    decimals: int | None = None,
    stacked: bool = False,
    least: float | None = 0,
    linked: bool = True,
) -> Json:
    """Return values over time. Queries that draw a target are dashed lines."""
    custom: Json = {
        "drawStyle": "bars" if stacked else "line",
        "lineWidth": 1 if stacked else 2,
        "fillOpacity": 70 if stacked else 5,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
    }
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    defaults = _defaults(unit, steps(GREEN), decimals=decimals, least=least, links=[TO_AGREEMENT] if linked else ())
    defaults |= {"color": {"mode": "palette-classic"}, "custom": custom}
    overrides = [
        {
            "matcher": {"id": "byFrameRefID", "options": one.ref},
            "properties": [
                {"id": "color", "value": {"mode": "fixed", "fixedColor": one.target}},
                {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [10, 10]}},
                {"id": "custom.fillOpacity", "value": 0},
                {"id": "custom.lineWidth", "value": 1},
            ],
        }
        for one in queries
        if one.target
    ]
    return panel_of("timeseries", title, text, queries, options, defaults, overrides)


def timeline(title: str, text: str, query: Query, mappings: Sequence[Json] = VERDICTS, *, linked: bool = True) -> Json:
    """Return states over time, one row a series."""
    options = {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.85,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel_of("state-timeline", title, text, [query], options, _states(mappings, linked=linked))


def history(title: str, text: str, query: Query, mappings: Sequence[Json], *, linked: bool = True) -> Json:
    """Return states at regular instants, one row a series."""
    options = {
        "showValue": "never",
        "rowHeight": 0.85,
        "colWidth": 0.9,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    panel = panel_of("status-history", title, text, [query], options, _states(mappings, linked=linked))
    return panel | {"maxDataPoints": 60}


def heatmap(title: str, text: str, query: Query, cells: str) -> Json:
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
        "heatmap", title, text, [query._replace(legend="{{le}}")], options, {"unit": COUNT, "custom": custom}
    )
    panel["targets"][0]["format"] = "heatmap"
    return panel | {"maxDataPoints": 120}


def newest(panel: Json) -> Json:
    """Return a panel that asks for the newest values only."""
    for target in panel["targets"]:
        target |= {"instant": True, "range": False}
    return panel


_LAST: Final[Json] = {"values": False, "calcs": ["lastNotNull"], "fields": ""}


def _states(mappings: Sequence[Json], *, linked: bool) -> Json:
    return {
        "unit": COUNT,
        "mappings": list(mappings),
        "color": {"mode": "thresholds"},
        "thresholds": steps(GREY),
        "links": [TO_AGREEMENT] if linked else [],
        "custom": {"lineWidth": 0, "fillOpacity": 75},
    }


def _defaults(
    unit: str,
    thresholds: Json,
    *,
    decimals: int | None = None,
    least: float | None = None,
    most: float | None = None,
    links: Sequence[Json] = (),
) -> Json:
    optional = {"decimals": decimals, "min": least, "max": most}
    known = {name: value for name, value in optional.items() if value is not None}
    colour = {"mode": "thresholds"}
    return {"unit": unit, "thresholds": thresholds, "color": colour, "links": list(links), "mappings": [], **known}


def panel_of(
    kind: str,
    title: str,
    text: str,
    queries: Sequence[Query],
    options: Json,
    defaults: Json,
    overrides: Sequence[Json] = (),
) -> Json:
    """Return a panel of a kind."""
    return {
        "type": kind,
        "title": title,
        "description": text,
        "datasource": DATASOURCE,
        "targets": [_target(one) for one in queries],
        "options": options,
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "transparent": False,
    }


def _target(query: Query) -> Json:
    return {
        "refId": query.ref,
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
        "format": "time_series",
        "instant": False,
        "range": True,
    }


def states(**looks: tuple[int, str, str]) -> list[Json]:
    """Return mappings of numbers to words and colours: ``name=(number, text, colour)``."""
    options: Mapping[str, Json] = {
        str(number): {"text": text, "color": color, "index": number} for number, text, color in looks.values()
    }
    return [{"type": "value", "options": dict(options)}]
