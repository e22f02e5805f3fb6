"""Panels: the JSON for each kind of panel. It uses only core panels and options that Grafana 9.4 and later know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any, Final, NamedTuple

from monitor.metrics.declaring import CODES

Json = dict[str, Any]

DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}

GREEN, ORANGE, RED, BLUE, GREY = "green", "orange", "red", "blue", "#8e8e8e"
KEPT, RISK, BROKEN, UNJUDGED = GREEN, ORANGE, RED, BLUE
"""The one scheme of colours: what is kept, what is at risk, what is broken, and what nobody has promised."""

COUNT: Final = "short"
RATIO: Final = "percentunit"
SECONDS: Final = "s"

VERDICT_LOOKS: Final = {
    "no_data": ("no data", GREY),
    "low_sample": ("low sample", "super-light-blue"),
    "met": ("met", "semi-dark-green"),
    "on_track": ("on track", KEPT),
    "at_risk": ("at risk", RISK),
    "breached": ("breached", BROKEN),
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
LOOKS_OF_VERDICT: Final = {"kept": KEPT, "at risk": RISK, "breached": BROKEN, "not judged": UNJUDGED}
"""The colours of the words that `promql.told_apart` gives to values."""
LOOKS_OF_STATE: Final = {
    "at risk": RISK, "breached": BROKEN, "resolved": KEPT, "voided": GREY, "rearmed": "super-light-blue",
}  # fmt: skip
"""The colours of the states of announcements."""

NOTHING: Final = "Nothing for what is chosen above"
"""What a panel says that has no data."""
NO_FIGURE: Final = "no figures"
"""What a number says that there is not, for what is chosen."""


class Query(NamedTuple):
    """One query of a panel. ``legend`` names its series, with ``{{label}}``; ``ref`` tells it from the others.

    ``target`` says that it draws what the others are compared with, such as a promise: a dashed line in that colour.
    """

    expr: str
    legend: str = ""
    ref: str = "A"
    target: str = ""


def link(title: str, url: str) -> Json:
    """Return a link from a value."""
    return {"title": title, "url": url, "targetBlank": False}


ALL_CHOSEN: Final = "${__all_variables}&${__url_time_range}"
"""The part of an address that keeps what is chosen."""


def to_board(uid: str, title: str) -> Json:
    """Return a link to another dashboard, with what is chosen here."""
    return link(title, f"/d/{uid}?{ALL_CHOSEN}")


def to_list(panel: str) -> Json:
    """Return a link to a panel of the same dashboard; `dashboard` finds its number by its title."""
    return link(panel, "") | {"panel": panel}


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
_NONE: Final = -1e15
"""Stands for "there is no such number" where any usual number may be one."""
NOT_SO: Final = -1.0
"""Stands for "there is none" in a number; see `words_for`."""


def words_for(words: Mapping[float, str]) -> list[Json]:
    """Return mappings of numbers (and NaN) to words, which are shown in their place."""
    found: list[Json] = []
    for place, (number, text) in enumerate(words.items()):
        result = {"text": text, "index": place}
        if isnan(number):
            found.append({"type": "special", "options": {"match": "nan", "result": result}})
        else:
            found.append({"type": "value", "options": {f"{number:.0f}": result}})
    return found


def stat(
    title: str,
    text: str,
    query: Query,
    unit: str = COUNT,
    thresholds: Json = NEUTRAL,
    *,
    decimals: int | None = None,
    to: Json | None = None,
    words: Mapping[float, str] | None = None,
    below_0: str = "",
    none: str = NO_FIGURE,
) -> Json:
    """Return one large number, the newest, or ``none`` in words.

    ``to``: a link to the list behind it. ``words``: numbers that are shown as words. ``below_0``: the words for 0 and
    what is below it.
    """
    options = {
        "graphMode": "none",
        "colorMode": "background",
        "justifyMode": "auto",
        "textMode": "value",
        "orientation": "auto",
        "reduceOptions": _LAST,
    }
    links = [dict(to)] if to else ()
    defaults = _defaults(unit, thresholds, decimals=decimals, links=links, none=none)
    defaults["mappings"] = words_for(words or {})
    if below_0:
        to_0 = {"from": None, "to": 0, "result": {"text": below_0, "index": 0}}
        defaults["mappings"].append({"type": "range", "options": to_0})
    return newest(_or_in_words(panel_of("stat", title, text, [query], options, defaults)))


def _or_in_words(panel: Json) -> Json:
    """Return a panel of one number that says in grey that there is none.

    Without any sample, or with NaN, its words would have the colour of the lowest number: of what is well, or broken.
    """
    defaults, (target,) = panel["fieldConfig"]["defaults"], panel["targets"]
    target["expr"] += f" or on () vector({_NONE:.0f})"
    words = {"text": defaults["noValue"], "color": GREY, "index": 0}
    defaults["mappings"].insert(0, {"type": "value", "options": {f"{_NONE:.0f}": words}})
    return panel


def heading(title: str, text: str) -> Json:
    """Return a panel that is nothing but its title, over panels that belong together.

    Grafana's own rows would fold them away, and a panel that is folded away tells nobody.
    """
    panel = stat(title, text, Query("vector(1)"))
    panel["options"] |= {"textMode": "none", "colorMode": "none"}
    return panel | {"transparent": True}


def told(
    title: str,
    text: str,
    query: Query,
    unit: str = COUNT,
    looks: Mapping[str, str] = LOOKS_OF_VERDICT,
    *,
    decimals: int | None = None,
    to: Json | None = None,
    none: str = NO_FIGURE,
    names: bool = False,
) -> Json:
    """Return one large number in the colour of its series, whose name is one of ``looks``.

    The query gives its value under one of these names (`promql.told_apart`): so the limits of the colours are those of
    the agreements. ``names``: the names are shown, too.
    """
    panel = stat(title, text, query, unit, decimals=decimals, to=to, none=none)
    panel["fieldConfig"]["overrides"] = [_coloured(name, color) for name, color in looks.items()]
    panel["options"] |= {"textMode": "value_and_name" if names else "value"}
    return panel


def _coloured(name: str, color: str) -> Json:
    properties = [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}]
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}


def gauge(title: str, text: str, query: Query, thresholds: Json, *, none: str = NO_FIGURE) -> Json:
    """Return a share as the hand of a dial."""
    options = {
        "orientation": "auto",
        "showThresholdLabels": False,
        "showThresholdMarkers": True,
        "reduceOptions": _LAST,
    }
    defaults = _defaults(RATIO, thresholds, least=0, most=1, decimals=0, none=none)
    return newest(_or_in_words(panel_of("gauge", title, text, [query], options, defaults)))


def bars(
    title: str,
    text: str,
    query: Query | list[Query],
    unit: str,
    *,
    least: float = 0,
    most: float | None = None,
    linked: bool = True,
    scheme: str = "",
    decimals: int | None = None,
    none: str = NOTHING,
) -> Json:
    """Return the newest values as bars beside their names; ``scheme``: in colours from the least to the most."""
    options = {
        "displayMode": "basic",
        "valueMode": "color",
        "showUnfilled": True,
        "minVizWidth": 8,
        "minVizHeight": 16,
        "orientation": "horizontal",
        "reduceOptions": _LAST,
    }
    links = [TO_AGREEMENT] if linked else ()
    defaults = _defaults(unit, NEUTRAL, least=least, most=most, links=links, none=none, decimals=decimals)
    if scheme:
        defaults["color"] = {"mode": scheme}
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
    most: float | None = None,
    linked: bool = True,
    looks: Mapping[str, str] | None = None,
    aside: Sequence[str] = (),
    symlog: bool = False,
    faint: str = "",
    none: str = NOTHING,
) -> Json:
    """Return values over time. Queries that draw a target are dashed lines.

    ``looks``: the colours of series by their names. ``aside``: series that have an axis of their own, at the right.
    ``symlog``: the axis is logarithmic from 1 on. ``faint``: series whose names end in this are grey and dashed, and
    not in the legend.
    """
    custom: Json = {
        "drawStyle": "bars" if stacked else "line",
        "lineWidth": 1 if stacked else 2,
        "fillOpacity": 70 if stacked else 0,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
    }
    if symlog:
        custom["scaleDistribution"] = {"type": "symlog", "log": 10, "linearThreshold": 1}
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    links = [TO_AGREEMENT] if linked else ()
    defaults = _defaults(unit, steps(GREEN), decimals=decimals, least=least, most=most, links=links, none=none)
    defaults |= {"color": {"mode": "palette-classic"}, "custom": custom}
    overrides: list[Json] = [
        {"matcher": {"id": "byFrameRefID", "options": one.ref}, "properties": _dashed(one.target)}
        for one in queries
        if one.target
    ]
    if faint:
        hidden: Json = {"id": "custom.hideFrom", "value": _NOT_IN_LEGEND}
        matcher = {"id": "byRegexp", "options": f"/{faint}$/"}
        overrides.append({"matcher": matcher, "properties": [*_dashed(GREY), hidden]})
    overrides += [_coloured(name, color) for name, color in (looks or {}).items()]
    for name in aside:
        right = [{"id": "custom.axisPlacement", "value": "right"}, {"id": "custom.axisLabel", "value": name}]
        overrides.append({"matcher": {"id": "byName", "options": name}, "properties": right})
    return panel_of("timeseries", title, text, queries, options, defaults, overrides)


def _dashed(color: str) -> list[Json]:
    return [
        {"id": "color", "value": {"mode": "fixed", "fixedColor": color}},
        {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [10, 10]}},
        {"id": "custom.fillOpacity", "value": 0},
        {"id": "custom.lineWidth", "value": 1},
    ]


def newest(panel: Json) -> Json:
    """Return a panel that asks for the newest values only."""
    for target in panel["targets"]:
        target |= {"instant": True, "range": False}
    return panel


_NOT_IN_LEGEND: Final = {"legend": True, "tooltip": False, "viz": False}
_LAST: Final[Json] = {"values": False, "calcs": ["lastNotNull"], "fields": ""}


def _defaults(
    unit: str,
    thresholds: Json,
    *,
    decimals: int | None = None,
    least: float | None = None,
    most: float | None = None,
    links: Sequence[Json] = (),
    none: str = NOTHING,
) -> Json:
    optional = {"decimals": decimals, "min": least, "max": most}
    known = {name: value for name, value in optional.items() if value is not None}
    colour = {"mode": "thresholds"}
    return {
        "unit": unit, "noValue": none, "thresholds": thresholds, "color": colour, "links": list(links), "mappings": [],
        **known,
    }  # fmt: skip


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
