"""Marks on the time axes: breached objectives, maintenance, new versions of agreements and of the monitor."""

from __future__ import annotations

from monitor.metrics import catalogue as m
from monitor.metrics import own
from monitor.metrics.dashboards.panels import BLUE, BROKEN, DATASOURCE, GREY, Json
from monitor.metrics.dashboards.promql import select


def marks() -> list[Json]:
    """Return the marks of every dashboard."""
    breaches = f"sum by (kind) (increase({select(own.ALERTS, {'kind': 'objective', 'state': 'breached'})}[2m])) > 0.5"
    maintained = select(m.OUTAGES_MAINTENANCE, {})
    binding, build = select(m.AGREEMENT_IN_FORCE, {}), select(own.BUILD_INFO, {})
    force, forced = (f"max by (agreement, version) ({one})" for one in (binding, f"{binding} offset 2m"))
    # Only where something was known before: the start of the monitor is no change.
    versions = f"({force} == 1) unless on (agreement, version) ({forced} == 1) and on (agreement) ({forced})"
    built, were = (f"max by (version) ({one})" for one in (build, f"{build} offset 2m"))
    builds = f"{built} unless on (version) {were} and on () {were}"
    return [
        _mark("Breaches", BROKEN, breaches, "An objective is breached", "sla-monitor status --breached tells which"),
        _mark(
            "Maintenance", "purple", f"max by (agreement, service) ({maintained}) > 0", "Maintenance of {{service}}", ""
        ),
        _mark("Agreements", BLUE, versions, "{{agreement}} {{version}} is in force", ""),
        _mark("Versions of the monitor", GREY, builds, "sla-monitor {{version}}", ""),
    ]


def _mark(name: str, color: str, query: str, title: str, text: str) -> Json:
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": color,
        "expr": query,
        "step": "2m",
        "titleFormat": title,
        "textFormat": text,
        "tagKeys": "",
        "useValueForTime": False,
    }
