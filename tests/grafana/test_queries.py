"""Queries and rules on a real Prometheus that scrapes the demonstration: every panel of every dashboard has data."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from monitor.metrics.dashboards import dashboards
from tests.cli.processes import process
from tests.prometheus.server import BINARY, SCRAPE_S, Prometheus, prometheus

DEADLINE_S = 120.0
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
    durations = {"$__rate_interval": 4 * SCRAPE_S, "$__interval": 2 * SCRAPE_S}
    for name, seconds in durations.items():
        text = text.replace(name, f"{seconds}s")
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


Query = tuple[str, str, str]
"""The names of a dashboard and of a panel, and the ref of a query."""


A_PERIOD_BEFORE = {("overview.json", f"{of}, the worst first", "B") for of in ("Shares", "Durations")}
"""Queries of what was before the demonstration began. What they find: `test_prometheus_finds_the_period_before`."""


def all_queries() -> set[Query]:
    return {
        (name, panel["title"], target["refId"])
        for name, dashboard in dashboards().items()
        for panel in dashboard["panels"]
        for target in panel["targets"]
    } - A_PERIOD_BEFORE


def with_data(server: Prometheus, missing: set[Query]) -> set[Query]:
    """Those of some queries that have data now. Calls that wait and clocks that are due soon come and go."""
    found = set()
    for name, dashboard in dashboards().items():
        values = chosen(server, dashboard)
        if not all(values.values()):
            continue
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                query = name, panel["title"], target["refId"]
                if query in missing:
                    got = numbers(server, target, values)
                    # A heatmap of nothing but zeros is an empty picture.
                    if any(got) if panel["type"] == "heatmap" else got:
                        found.add(query)
    return found


def overview_of(server: Prometheus, title: str, **others: str):
    """What a panel of the overview shows now, for what is chosen."""
    overview = dashboards()["overview.json"]
    (panel,) = [one for one in overview["panels"] if one["title"] == title]
    values = chosen(server, overview) | others
    return [server.now(filled(target["expr"], values)) for target in panel["targets"]]


def in_time(check, seconds: float = 20.0) -> None:
    """Check until it holds: between two queries the figures may change."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def headlines_tell_the_truth(server: Prometheus) -> None:
    """The tiles count objectives, and a choice of customers hides nothing that holds for these customers."""
    worst: dict[tuple[str, str], float] = {}
    unsplit = set()
    for sample in server.now("sla_objective_verdict_code"):
        labels = sample["metric"]
        objective = labels["agreement"], labels["objective"]
        worst[objective] = max(worst.get(objective, 0), float(sample["value"][1]))
        if "customer" not in labels:
            unsplit.add(objective)
    for title, code in (("Objectives breached", 5), ("Objectives at risk", 4)):
        ((shown,),) = overview_of(server, title)
        assert float(shown["value"][1]) == sum(one == code for one in worst.values())
    ((of_finance,),) = overview_of(server, "Objectives breached", customer="finance")
    ((of_nobody,),) = overview_of(server, "Objectives breached", customer="nobody")
    broken = sum(one == 5 for objective, one in worst.items() if objective in unsplit)
    assert float(of_finance["value"][1]) >= float(of_nobody["value"][1]) == broken > 0


def timelines_are_few_and_urgent(server: Prometheus) -> None:
    (rows,) = overview_of(server, "Broken and at risk now")
    assert 0 < len(rows) <= 8
    assert {float(row["value"][1]) for row in rows} <= {4.0, 5.0}


def what_is_due_next_is_told(server: Prometheus) -> None:
    first, soon = overview_of(server, "Due next")
    assert len(first) == len(soon) > 0
    assert all(0 <= float(row["value"][1]) <= 86_400 for row in first)
    hour = {tuple(sorted(row["metric"].items())): float(row["value"][1]) > 0 for row in soon}
    assert hour == {tuple(sorted(row["metric"].items())): float(row["value"][1]) <= 3_600 for row in first}


@pytest.mark.skipif(BINARY is None, reason="prometheus (Debian package prometheus) is not installed")
def test_every_query_returns_data_and_every_rule_is_evaluated_on_the_demonstration(tmp_path: Path):
    with process("demo", "--json", "--speed", "60", folder=tmp_path) as demo:
        address = json.loads(demo.stdout.readline())["addresses"]["metrics"]
        threading.Thread(target=lambda: list(demo.stdout), daemon=True).start()  # a full pipe would stop it
        with prometheus(address.removeprefix("http://").removesuffix("/metrics"), tmp_path) as server:
            deadline, missing = time.monotonic() + DEADLINE_S, all_queries()
            while missing and time.monotonic() < deadline:
                missing -= with_data(server, missing)
                time.sleep(0.5)
            assert not missing, "\n".join(map(str, sorted(missing)))
            for check in (headlines_tell_the_truth, timelines_are_few_and_urgent, what_is_due_next_is_told):
                in_time(partial(check, server))
            rules = server.rules()
    assert {rule["health"] for rule in rules} == {"ok"}, [rule["lastError"] for rule in rules if "lastError" in rule]
    firing = {rule["name"] for rule in rules if rule["type"] == "alerting" and rule["state"] != "inactive"}
    assert "SlaObjectiveBreached" in firing
