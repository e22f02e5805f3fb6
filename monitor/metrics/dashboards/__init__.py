"""The Grafana dashboards, generated from the catalogue of metrics: ``python -m monitor.metrics.dashboards grafana``.

The JSON is committed under ``grafana/dashboards``; a test compares. Each dashboard has a module. Each panel names
metrics by their object in the catalogue, so that no panel can ask for a metric that nobody exports.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from monitor.metrics.dashboards.agreements import agreements
from monitor.metrics.dashboards.budgets import budgets
from monitor.metrics.dashboards.calls import calls
from monitor.metrics.dashboards.health import health
from monitor.metrics.dashboards.leads import leads
from monitor.metrics.dashboards.outages import outages
from monitor.metrics.dashboards.overview import overview
from monitor.metrics.dashboards.tickets import tickets

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.metrics.dashboards.panels import Json


def dashboards() -> dict[str, Json]:
    """Return all dashboards by the names of their files."""
    made = {
        "overview": overview,
        "tickets": tickets,
        "calls": calls,
        "outages": outages,
        "leads": leads,
        "budgets": budgets,
        "agreements": agreements,
        "monitor": health,
    }
    return {f"{name}.json": make() for name, make in made.items()}


def text_of(dashboard: Json) -> str:
    """Return the text of a dashboard's file."""
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path) -> list[Path]:
    """Write all dashboards into ``folder/dashboards`` and return their paths; other files there are not touched.

    Raises:
        OSError: the folder cannot be written to.
    """
    target = folder / "dashboards"
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for name, made in dashboards().items():
        path = target / name
        path.write_text(text_of(made), encoding="utf-8")
        written.append(path)
    return written
