"""Which metrics and labels a query names, and whether they exist: for dashboards and rules alike."""

from __future__ import annotations

import re
from collections.abc import Mapping

from monitor.metrics.catalogue import CATALOGUE

TARGET = frozenset({"job", "instance"})
"""The labels that a scrape adds."""

EXPORTED: dict[str, frozenset[str]] = {"up": frozenset()}
"""The labels of each name that a query can use: the catalogue, and what Prometheus adds itself."""
for _metric in CATALOGUE.values():
    if _metric.kind == "histogram":
        EXPORTED[f"{_metric.name}_bucket"] = frozenset({*_metric.labels, "le"})
        EXPORTED |= {f"{_metric.name}_{part}": frozenset(_metric.labels) for part in ("sum", "count")}
    else:
        EXPORTED[_metric.name] = frozenset(_metric.labels)

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
_NAME = re.compile(r"(?<![\w$:])([a-zA-Z_:][\w:]*)(?!\w)\s*(\(|\{[^}]*\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_WORDS = frozenset({"and", "or", "unless", "offset", "bool", "inf", "nan", *"smhdwy", "ms"})


def complaints(expr: str, known: Mapping[str, frozenset[str]] = EXPORTED) -> list[str]:
    """Return what a query names that nobody exports."""
    strings = [one[1:-1] for one in _STRING.findall(expr)]
    bare = _STRING.sub('""', expr)
    found: list[str] = []
    labels: set[str] = set(TARGET)
    used: set[str] = set()
    for group in _GROUPING.findall(bare):
        used |= {one.strip() for one in group.split(",") if one.strip()}
    without_groups = re.sub(r"\[[^\]]*\]", "", _GROUPING.sub("", bare))
    for name, follows in _NAME.findall(without_groups):
        if follows == "(" or name.lower() in _WORDS:
            continue
        if name not in known:
            found.append(f"no metric {name}")
            continue
        labels |= known[name]
        wrong = set(_MATCHER.findall(follows)) - known[name] - TARGET
        found += [f"{name} has no label {label}" for label in sorted(wrong)]
    made = _made(expr, strings)
    found += [f"no label {one} to group by" for one in sorted(used - labels - made)]
    return found


def _made(expr: str, strings: list[str]) -> set[str]:
    """The labels that label_replace and label_join make."""
    if "label_" not in expr:
        return set()
    return {one for one in strings if re.fullmatch(r"[a-z]\w*", one)}
