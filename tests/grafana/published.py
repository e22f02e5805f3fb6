"""Whether JSON is what Grafana's own published types say: each key known, each value of its type.

The types are those of Grafana's foundation SDK for 10.1, the oldest that there is one for. Its ``from_json`` takes
anything and drops what it does not know, so the JSON is walked along the types that its classes declare.
"""

from __future__ import annotations

import enum
import re
import types
import typing

from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models import (
    barchart,
    bargauge,
    common,
    dashboard,
    gauge,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    statushistory,
    table,
    timeseries,
    units,
)

PANELS = {
    "stat": (stat.Options, None),
    "gauge": (gauge.Options, None),
    "bargauge": (bargauge.Options, None),
    "barchart": (barchart.Options, barchart.FieldConfig),
    "heatmap": (heatmap.Options, heatmap.FieldConfig),
    "state-timeline": (statetimeline.Options, statetimeline.FieldConfig),
    "status-history": (statushistory.Options, statushistory.FieldConfig),
    "table": (table.Options, common.TableFieldOptions),
    "timeseries": (timeseries.Options, common.GraphFieldConfig),
}
"""The types of a core panel's options and of its fields' own settings."""
LATER = {"state-timeline": {"perPage"}}
"""Options that a later Grafana knows (11.2: pages of rows); an earlier one passes over what it does not know."""
_OF_PROMETHEUS = {"step", "titleFormat", "textFormat", "tagKeys", "useValueForTime"}
"""What Grafana's Prometheus source reads of an annotation: its types leave that open."""
UNITS = {value for name, value in vars(units).items() if name.isupper() or isinstance(value, str)}


def mistakes(found: dict) -> list[str]:
    """Return where a dashboard is not of Grafana's types; nothing if it is."""
    marks = [{key: one[key] for key in one.keys() - _OF_PROMETHEUS} for one in found["annotations"]["list"]]
    wrong = _check({**found, "panels": [], "annotations": {"list": marks}}, dashboard.Dashboard, "dashboard")
    for panel in found["panels"]:
        where = f"panel {panel['title']!r}"
        options, custom = PANELS[panel["type"]]
        defaults = panel["fieldConfig"]["defaults"]
        wrong += _check(panel, dashboard.Panel, where)
        known = {key: one for key, one in panel["options"].items() if key not in LATER.get(panel["type"], ())}
        wrong += _check(known, options, f"{where}.options")
        if custom or defaults.get("custom"):
            wrong += _check(defaults.get("custom", {}), custom, f"{where}.custom")
        for target in panel["targets"]:
            wrong += _check(target, prometheus.Dataquery, f"{where}.{target['refId']}")
        for override in panel["fieldConfig"]["overrides"]:
            for one in override["properties"]:
                name = one["id"].removeprefix("custom.")
                of = custom if one["id"].startswith("custom.") else dashboard.FieldConfig
                wrong += _check({name: one["value"]}, of, f"{where} override {one['id']}")
    return wrong


def _check(value, hint, where: str) -> list[str]:
    if hint in (object, typing.Any, variants.Dataquery):
        return []
    of = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        tries = [_check(value, one, where) for one in of]
        return [] if [] in tries else min(tries, key=len)
    if origin is typing.Literal or (isinstance(hint, type) and issubclass(hint, enum.Enum)):
        words = of or [one.value for one in hint]
        return [] if value in words else [f"{where}: {value!r} is none of {words}"]
    if hint in _PLAIN:
        fits = isinstance(value, _PLAIN[hint]) and (hint is bool or not isinstance(value, bool))
        return [] if fits else [f"{where}: {value!r} is no {hint.__name__}"]
    return _inside(value, hint, where)


def _inside(value, hint, where: str) -> list[str]:
    of, origin = typing.get_args(hint), typing.get_origin(hint)
    if not isinstance(value, list if origin is list else dict):
        return [f"{where}: {value!r} is no {'list' if origin is list else 'object'}"]
    if origin is list:
        return [wrong for place, one in enumerate(value) for wrong in _check(one, of[0], f"{where}[{place}]")]
    if origin is dict:
        return [wrong for key, one in value.items() for wrong in _check(one, of[1], f"{where}.{key}")]
    return [wrong for key, one in value.items() for wrong in _attribute(key, one, hint, where)]


_PLAIN = {str: str, bool: bool, int: int, float: (int, float), type(None): type(None)}


def _attribute(key: str, value, of: type, where: str) -> list[str]:
    """Check one key of an object: its attribute is in snake case, with ``_val`` where that is a word of Python."""
    declared = typing.get_type_hints(of)
    name = re.sub(r"([A-Z])", lambda letter: f"_{letter[1].lower()}", key)
    name = name if name in declared else f"{name}_val"
    return _check(value, declared[name], f"{where}.{key}") if name in declared else [f"{where}: no {key} is known"]
