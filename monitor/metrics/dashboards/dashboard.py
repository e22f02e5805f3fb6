"""A dashboard: its grid, variables and links around the panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.metrics.dashboards.panels import DATASOURCE, Json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLUMNS: Final = 24
SCHEMA_VERSION: Final = 38
"""Grafana's own number for the shape of the JSON; later versions migrate it."""
TAG: Final = "sla-monitor"


class Row(NamedTuple):
    """Panels side by side: height of the row, and (width, panel) from left to right; the widths add up to 24."""

    height: int
    panels: Sequence[tuple[int, Json]]


class Variable(NamedTuple):
    """A variable of a dashboard: the values of a label in the samples of a selector.

    ``many``: any number of them can be chosen, and all are at first; otherwise one: ``first`` if it exists, else the
    first of all.
    """

    name: str
    title: str
    text: str
    selector: str
    label: str
    many: bool = True
    first: str = ""


def dashboard(uid: str, title: str, text: str, variables: Iterable[Variable], rows: Iterable[Row]) -> Json:
    """Return a dashboard.

    Raises:
        ValueError: a row is not exactly as wide as the grid.
    """
    return {
        "uid": uid,
        "title": title,
        "description": text,
        "tags": [TAG],
        "timezone": "browser",
        "editable": True,
        "graphTooltip": 1,
        "time": {"from": "now-1h", "to": "now"},
        "timepicker": {"refresh_intervals": ["5s", "10s", "30s", "1m", "5m"]},
        "refresh": "10s",
        "schemaVersion": SCHEMA_VERSION,
        "annotations": {"list": []},
        "links": [_LINKS],
        "templating": {"list": [_SOURCE, *map(_variable, variables)]},
        "panels": _placed(rows),
    }


def _placed(rows: Iterable[Row]) -> list[Json]:
    placed: list[Json] = []
    y = 0
    for row in rows:
        width = sum(width for width, _ in row.panels)
        if width != COLUMNS:
            raise ValueError(f"the row of {row.panels[0][1]['title']!r} is {width} columns wide, not {COLUMNS}")
        x = 0
        for width, panel in row.panels:
            position = {"x": x, "y": y, "w": width, "h": row.height}
            placed.append({"id": len(placed) + 1, "gridPos": position, **panel})
            x += width
        y += row.height
    return placed


_LINKS: Final[Json] = {
    "type": "dashboards",
    "title": "Dashboards",
    "tooltip": "The other dashboards, with what is chosen here",
    "tags": [TAG],
    "asDropdown": False,
    "includeVars": True,
    "keepTime": True,
    "targetBlank": False,
    "icon": "external link",
    "url": "",
}

_SOURCE: Final[Json] = {
    "type": "datasource",
    "name": "datasource",
    "label": "Data source",
    "description": "The Prometheus that scrapes the workers",
    "query": "prometheus",
    "hide": 0,
    "includeAll": False,
    "multi": False,
    "refresh": 1,
    "regex": "",
    "skipUrlSync": False,
}


def _variable(one: Variable) -> Json:
    query = f"label_values({one.selector}, {one.label})"
    found: Json = {
        "type": "query",
        "name": one.name,
        "label": one.title,
        "description": one.text,
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": "StandardVariableQuery"},
        "hide": 0,
        "includeAll": one.many,
        "multi": one.many,
        "refresh": 2,
        "regex": "",
        "skipUrlSync": False,
        "sort": 1,
    }
    if one.many:
        # ".*" also finds the series that have no such label.
        found |= {"allValue": ".*", "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}
    elif one.first:
        found |= {"current": {"selected": True, "text": one.first, "value": one.first}}
    return found
