"""A dashboard: its grid, variables and links around the panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.metrics.dashboards.marks import marks
from monitor.metrics.dashboards.panels import ALL_CHOSEN, DATASOURCE, Json, heading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLUMNS: Final = 24
HEADING_HEIGHT: Final = 1
"""Just the title. No other panel is so low."""
SCHEMA_VERSION: Final = 38
"""Grafana's own number for the shape of the JSON; later versions migrate it."""
TAG: Final = "sla-monitor"


class Row(NamedTuple):
    """Panels side by side: height of the row, and (width, panel) from left to right; the widths add up to 24."""

    height: int
    panels: Sequence[tuple[int, Json]]


class Heading(NamedTuple):
    """A heading over the rows that follow it, and what they tell."""

    title: str
    text: str


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


def dashboard(uid: str, title: str, text: str, variables: Iterable[Variable], rows: Iterable[Row | Heading]) -> Json:
    """Return a dashboard.

    Raises:
        ValueError: a row is not exactly as wide as the grid, or a link leads to a panel that the dashboard lacks.
    """
    panels = _placed(rows)
    places = {panel["title"]: panel["id"] for panel in panels}
    for panel in panels:
        for link in panel.get("fieldConfig", {}).get("defaults", {}).get("links", ()):
            if link.get("panel"):
                if link["panel"] not in places:
                    raise ValueError(f"{title} has no panel {link['panel']!r}")
                link["url"] = f"/d/{uid}?viewPanel={places[link.pop('panel')]}&{ALL_CHOSEN}"
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
        "annotations": {"list": marks()},
        "links": [_LINKS],
        "templating": {"list": [_SOURCE, *map(_variable, variables)]},
        "panels": panels,
    }


def _placed(rows: Iterable[Row | Heading]) -> list[Json]:
    placed: list[Json] = []
    y = 0
    for row in rows:
        if isinstance(row, Heading):
            position = {"x": 0, "y": y, "w": COLUMNS, "h": HEADING_HEIGHT}
            placed.append({"id": len(placed) + 1, "gridPos": position, **heading(row.title, row.text)})
            y += HEADING_HEIGHT
            continue
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
    "asDropdown": True,
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
