"""Tables of the newest values: the most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from monitor.metrics.dashboards.panels import COUNT, VERDICTS, Json, Query, link, panel_of, steps

AGREEMENT_CELL: Final = link(
    "Agreement ${__value.text}", "/d/sla-overview?var-agreement=${__value.raw:percentencode}&${__url_time_range}"
)
"""From the id of an agreement to the overview of it."""


class Column(NamedTuple):
    """One column of a table: a label of the queries, or the value of the query with the ref ``value``."""

    title: str
    label: str = ""
    value: str = ""
    unit: str = ""
    width: int = 0
    verdict: bool = False
    links: Sequence[Json] = ()
    hidden: bool = False
    decimals: int | None = None
    danger: str = ""
    """The colour of a number that is not 0."""


def table(title: str, text: str, queries: Sequence[Query], columns: Sequence[Column], *, sort: Sequence[str]) -> Json:
    """Return the newest values as a table, one row for equal labels. ``sort``: by these columns, largest first."""
    order = {(one.label or f"Value #{one.value}"): place for place, one in enumerate(columns)}
    if len(queries) == 1:  # only the columns of several queries carry their refs
        order = {name.removesuffix(f" #{queries[0].ref}"): place for name, place in order.items()}
    transformations = [
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {"Time": True},
                "indexByName": order,
                "renameByName": {name: columns[place].title for name, place in order.items()},
            },
        },
    ]
    options = {
        "showHeader": True,
        "frameIndex": 0,
        "footer": {"show": False, "reducer": ["sum"], "fields": [], "countRows": False},
        "sortBy": [{"displayName": one, "desc": True} for one in sort],
    }
    defaults = {"unit": COUNT, "custom": {"align": "auto", "inspect": False, "filterable": True}}
    panel = panel_of("table", title, text, queries, options, defaults, [_column(one) for one in columns])
    for target in panel["targets"]:
        target |= {"format": "table", "instant": True, "range": False}
    return panel | {"transformations": transformations}


def _column(one: Column) -> Json:
    properties: list[Json] = []
    if one.unit:
        properties.append({"id": "unit", "value": one.unit})
    if one.width:
        properties.append({"id": "custom.width", "value": one.width})
    if one.decimals is not None:
        properties.append({"id": "decimals", "value": one.decimals})
    if one.hidden:
        properties.append({"id": "custom.hidden", "value": True})
    if one.links:
        properties.append({"id": "links", "value": list(one.links)})
    if one.verdict:
        properties.append({"id": "mappings", "value": VERDICTS})
    if one.danger:
        properties.append({"id": "thresholds", "value": steps("transparent", (1, one.danger))})
    if one.verdict or one.danger:
        properties += [
            # Before and from 9.5 on: each ignores the other's.
            {"id": "custom.displayMode", "value": "color-background-solid"},
            {"id": "custom.cellOptions", "value": {"type": "color-background", "mode": "basic"}},
        ]
    return {"matcher": {"id": "byName", "options": one.title}, "properties": properties}
