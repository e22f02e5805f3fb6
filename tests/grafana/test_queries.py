"""Queries and rules on a real Prometheus that scrapes the demonstration: every panel of every dashboard has data."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from pathlib import Path

import pytest

from monitor.metrics.dashboards import dashboards
from tests.cli.processes import process
from tests.prometheus.server import BINARY, SCRAPE_S, Prometheus, prometheus

DEADLINE_S = 60.0
RANGE_S = 15.0


def chosen(server: Prometheus, dashboard) -> dict[str, str]:
    """The values of a dashboard's variables when somebody opens it: all, or the first one; "" where there is none."""
    values = {}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            inside = variable["query"]["query"].removeprefix("label_values(").removesuffix(")")
            selector, _, label = inside.rpartition(", ")
            found = server.label_values(label, filled(selector, values))
            preset = variable.get("current", {}).get("value")
            first = preset if preset in found else min(found, default="")
            values[variable["name"]] = variable["allValue"] if first and variable["includeAll"] else first
    return values


def filled(text: str, values: dict[str, str]) -> str:
    text = text.replace("$__rate_interval", f"{4 * SCRAPE_S}s")
    for name in sorted(values, key=len, reverse=True):
        text = text.replace(f"${name}", values[name])
    return text


def numbers(server: Prometheus, target, values) -> list[float]:
    expr = filled(target["expr"], values)
    assert not re.search(r"\$[a-z_{]", expr), f"a variable is not of this dashboard: {expr}"
    if target["instant"]:
        found = [sample["value"][1] for sample in server.now(expr)]
    else:
        found = [value for series in server.over(expr, RANGE_S) for _, value in series["values"]]
    return [number for number in map(float, found) if math.isfinite(number)]


def without_data(server: Prometheus) -> list[str]:
    missing = []
    for name, dashboard in dashboards().items():
        values = chosen(server, dashboard)
        missing += [f"{name}: the variable {variable}" for variable, value in values.items() if not value]
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                found = numbers(server, target, values)
                # A heatmap of nothing but zeros is an empty picture.
                if not found or (panel["type"] == "heatmap" and not any(found)):
                    missing.append(f"{name}: {panel['title']} ({target['refId']}): {filled(target['expr'], values)}")
    return missing


@pytest.mark.skipif(BINARY is None, reason="prometheus (Debian package prometheus) is not installed")
def test_every_query_returns_data_and_every_rule_is_evaluated_on_the_demonstration(tmp_path: Path):
    with process("demo", "--json", "--speed", "60", folder=tmp_path) as demo:
        address = json.loads(demo.stdout.readline())["addresses"]["metrics"]
        threading.Thread(target=lambda: list(demo.stdout), daemon=True).start()  # a full pipe would stop it
        with prometheus(address.removeprefix("http://").removesuffix("/metrics"), tmp_path) as server:
            deadline = time.monotonic() + DEADLINE_S
            while (missing := without_data(server)) and time.monotonic() < deadline:
                time.sleep(0.5)
            assert not missing, "\n".join(missing)
            rules = server.rules()
    assert {rule["health"] for rule in rules} == {"ok"}, [rule["lastError"] for rule in rules if "lastError" in rule]
    firing = {rule["name"] for rule in rules if rule["type"] == "alerting" and rule["state"] != "inactive"}
    assert "SlaObjectiveBreached" in firing
