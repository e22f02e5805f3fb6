"""Tables of the newest values: the most urgent first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Final, NamedTuple

from monitor.metrics.dashboards.panels import COUNT, NOTHING, VERDICTS, Json, Query, link, panel_of, steps, words_for

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
    words: Mapping[float, str] = {}
    """Numbers that are shown as words."""

    @property
    def has_filter(self) -> bool:
        """Whether its heading has a funnel: beside a short heading it would cost the heading its letters."""
        return bool(self.label) and not self.hidden and (not self.width or self.width >= WIDE)


WIDE: Final = 150
"""From this width on (px) a heading has room for a funnel."""
NARROW: Final = 90
"""The least width of a column that has none of its own (px)."""
NO_CELL: Final = "–"
"""What a cell says for which there is no value, or NaN."""
SORTS: Final = 22
"""The width of the arrow of a column that the table is sorted by (px)."""
LETTER: Final = 8
"""The width of a letter of a heading (px)."""


def table(
    title: str,
    text: str,
    queries: Sequence[Query],
    columns: Sequence[Column],
    *,
    sort: Sequence[str],
    rising: bool = False,
    none: str = NOTHING,
) -> Json:
    """Return the newest values as a table, one row for equal labels.

    ``sort``: by these columns, the largest first; ``rising``: the smallest first.

    Raises:
        ValueError: a column is narrower than its heading.
    """
    for one in columns:
        needed = LETTER * len(one.title) + 16 + (SORTS if one.title in sort else 0)
        if 0 < one.width < needed and not one.hidden:
            raise ValueError(f"{title}: {one.title!r} needs {needed} px, not {one.width}")
    order = {(one.label or f"Value #{one.value}"): place for place, one in enumerate(columns)}
    if len(queries) == 1:  # only the columns of several queries carry their refs
        order = {name.removesuffix(f" #{queries[0].ref}"): place for place, name in enumerate(order)}
    transformations = [
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {"Time": True}
                if "Value" in order or len(queries) > 1
                else {"Time": True, "Value": True},
                "indexByName": order,
                "renameByName": {name: columns[place].title for name, place in order.items()},
            },
        },
    ]
    options = {
        "showHeader": True,
        "frameIndex": 0,
        "footer": {"show": False, "reducer": ["sum"], "fields": [], "countRows": False},
        "sortBy": [{"displayName": one, "desc": not rising} for one in sort],
    }
    defaults = {
        "unit": COUNT,
        "noValue": none,
        "custom": {"align": "auto", "inspect": False, "filterable": False, "minWidth": NARROW},
    }
    panel = panel_of("table", title, text, queries, options, defaults, [_column(one) for one in columns])
    for target in panel["targets"]:
        target |= {"format": "table", "instant": True, "range": False}
    return panel | {"transformations": transformations}


def _column(one: Column) -> Json:
    # A column's own: that of the table is what is said where there is no row.
    properties: list[Json] = [{"id": "noValue", "value": NO_CELL}]
    if one.has_filter:
        properties.append({"id": "custom.filterable", "value": True})
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
    if one.value:
        words = VERDICTS if one.verdict else words_for(one.words)
        properties.append({"id": "mappings", "value": [*words, *words_for({nan: NO_CELL})]})
    if one.danger:
        properties.append({"id": "thresholds", "value": steps("transparent", (1, one.danger))})
    if one.verdict or one.danger:
        properties += [
            # Before and from 9.5 on: each ignores the other's.
            {"id": "custom.displayMode", "value": "color-background-solid"},
            {"id": "custom.cellOptions", "value": {"type": "color-background", "mode": "basic"}},
        ]
    return {"matcher": {"id": "byName", "options": one.title}, "properties": properties}
