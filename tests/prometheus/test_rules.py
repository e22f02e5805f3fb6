"""Rules, configurations and routes under deploy/: taken by Prometheus' own tools, tested, about what exists."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from monitor.config.settings.settings import Settings
from monitor.core.agreements.budget_rule import USUAL_ALERTS
from monitor.core.agreements.indicators import INDICATORS
from monitor.metrics.catalogue import OBJECTIVE_VERDICT
from monitor.metrics.declaring import ATTRIBUTES
from tests.prometheus.promql import EXPORTED, TARGET, complaints

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
CONFIGURATIONS = sorted(PROMETHEUS.glob("*.yml"))
RULE_FILES = sorted((PROMETHEUS / "rules").glob("*.yml"))
RULE_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
ROUTES = sorted((DEPLOY / "alertmanager").glob("*.yml"))

RULES = [rule for path in RULE_FILES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
BURN_PAIRS = {("1h", "5m", 14.4), ("6h", "30m", 6), ("1d", "2h", 3), ("3d", "6h", 1)}

each_alert = pytest.mark.parametrize("name", ALERTS)
promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed"
)
amtool = pytest.mark.skipif(
    shutil.which("amtool") is None, reason="amtool (Debian package prometheus-alertmanager) is not installed"
)


def run(*command: str | Path) -> str:
    told = subprocess.run(
        [str(one) for one in command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=PROMETHEUS / "tests",
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def names(paths):
    return [path.name for path in paths]


# -- accepted by the tools


@promtool
@pytest.mark.parametrize("path", CONFIGURATIONS, ids=names(CONFIGURATIONS))
def test_prometheus_takes_the_configuration(path):
    assert "SUCCESS" in run("promtool", "check", "config", path)


@promtool
@pytest.mark.parametrize("path", RULE_FILES, ids=names(RULE_FILES))
def test_prometheus_takes_the_rules(path):
    assert "SUCCESS" in run("promtool", "check", "rules", "--lint=all", "--lint-fatal", path)


@promtool
@pytest.mark.parametrize("path", RULE_TESTS, ids=names(RULE_TESTS))
def test_the_rules_do_what_their_stories_say(path):
    run("promtool", "test", "rules", path)


@amtool
@pytest.mark.parametrize("path", ROUTES, ids=names(ROUTES))
def test_alertmanager_takes_the_routes(path):
    assert "SUCCESS" in run("amtool", "check-config", path)


@amtool
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=SlaObjectiveBreached", "agreement=desk", "urgency=page"], "on-call"),
        (["alertname=SlaBudgetBurns", "agreement=desk", "urgency=ticket"], "tickets"),
        (["alertname=SlaMonitorDown", "instance=a", "urgency=page"], "monitor-operators"),
        (["alertname=SlaMonitorDeadLetters", "topic=calls", "urgency=ticket"], "tickets"),
    ],
)
def test_an_alert_goes_to_those_who_can_do_something(labels, receiver):
    told = run(
        "amtool", "config", "routes", "test", f"--config.file={ROUTES[0]}", f"--verify.receivers={receiver}", *labels
    )
    assert told.strip() == receiver


# -- about what exists


def recorded() -> dict[str, frozenset[str]]:
    """The names that rules record. They keep labels of what they are made of."""
    known = dict(EXPORTED)
    for rule in RULES:
        if "record" in rule:
            used = re.findall(r"\bsla[_:]\w[\w:]*", rule["expr"])
            known[rule["record"]] = frozenset().union(*[known.get(name, frozenset()) for name in used])
    return known


@pytest.mark.parametrize("rule", RULES, ids=[rule.get("alert") or rule["record"] for rule in RULES])
def test_every_metric_and_label_that_a_rule_names_exists(rule):
    assert complaints(rule["expr"], recorded()) == []


def test_the_rules_scrape_the_job_that_the_configurations_name():
    jobs = {one["job_name"] for path in CONFIGURATIONS for one in yaml.safe_load(path.read_text())["scrape_configs"]}
    assert jobs == set(re.findall(r'job="([^"]+)"', "".join(path.read_text() for path in RULE_FILES)))


def test_the_configurations_scrape_the_port_that_a_worker_serves():
    port = Settings().web.port
    local = yaml.safe_load((PROMETHEUS / "local.yml").read_text())["scrape_configs"][0]
    shared = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"][0]
    assert local["static_configs"] == [{"targets": [f"127.0.0.1:{port}"]}]
    assert [one["port"] for one in shared["dns_sd_configs"]] == [port]


def test_grafana_knows_how_often_is_scraped():
    """Its rates are taken over four scrapes: told less, some would find a single sample."""
    (source,) = yaml.safe_load((DEPLOY.parent / "grafana/provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    for path in CONFIGURATIONS:
        assert yaml.safe_load(path.read_text())["global"]["scrape_interval"] == source["jsonData"]["timeInterval"]


@each_alert
def test_a_text_names_only_labels_that_the_alert_can_have(name):
    rule = ALERTS[name]
    used = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    groups = re.findall(r"\bby\s*\(([^()]*)\)", rule["expr"])
    if groups and "without" not in rule["expr"]:
        assert used <= {one.strip() for group in groups for one in group.split(",")}
    else:
        within = [recorded()[one] for one in re.findall(r"\bsla[_:]\w[\w:]*|\bup\b", rule["expr"])]
        assert used <= frozenset().union(*within) | TARGET


def test_the_indicators_of_the_budget_are_all_shares():
    text = (PROMETHEUS / "rules/budget.yml").read_text()
    named = {one for pattern in re.findall(r'indicator=~?"([^"]+)"', text) for one in pattern.split("|")}
    shares = {name for kind in INDICATORS.values() for name, one in kind.items() if one.unit == "ratio"}
    shares -= {
        "pace",
        "close_rate",
        "matured_close_rate",
        "marketing_share",
    }  # of a goal or of money: nothing in them is good or bad
    # Who wants burn alerts of these gives the objective a budget of its own: of the month's counts they are not made.
    shares -= {"occupancy", "coverage", "asai", "fcr", "fcr_net", "fcr_provisional", "fcr_flag", "fcr_flag_net"}
    matched = {share for share in shares if any(re.fullmatch(one, share) for one in named)}
    assert matched == shares


def test_the_pairs_of_windows_are_those_of_the_domain():
    found = set()
    for rule in (ALERTS["SlaBudgetBurnsFast"], ALERTS["SlaBudgetBurns"]):
        rates = re.findall(r"sla:objective_burn:rate(\w+) > ([\d.]+)", rule["expr"])
        found |= {(long, short, float(rate)) for (long, rate), (short, _) in zip(rates[::2], rates[1::2], strict=True)}
        assert all(a[1] == b[1] for a, b in zip(rates[::2], rates[1::2], strict=True))
    assert found == BURN_PAIRS


def test_the_measured_rates_are_those_of_the_windows_that_the_monitor_shows_by_default():
    rates = {rule["record"].removeprefix("sla:objective_burn:rate"): re.findall(r'over="(\w+)"', rule["expr"])
             for rule in RULES if rule.get("record", "").startswith("sla:objective_burn:rate")}  # fmt: skip
    assert all(over == [{"1d": "24h"}.get(length, length)] for length, over in rates.items())
    assert {over for (over,) in rates.values()} == {
        one.name for pair in USUAL_ALERTS for one in (pair.long, pair.short)
    }


def test_no_label_of_an_alert_covers_one_of_its_series():
    """Two series that differ in it alone would become one alert, which Prometheus refuses."""
    labels = {label for rule in ALERTS.values() for label in rule["labels"]}
    assert labels == {"urgency"}
    assert labels.isdisjoint({*ATTRIBUTES, *OBJECTIVE_VERDICT.labels})


# -- each says what to do, and is tested


@each_alert
def test_an_alert_says_what_happened_and_what_to_do(name):
    rule = ALERTS[name]
    assert set(rule["annotations"]) == {"summary", "description", "action"}
    assert all(len(text) > 15 for text in rule["annotations"].values())
    assert rule["labels"]["urgency"] in {"page", "ticket"}


@each_alert
def test_an_alert_has_a_story_in_which_it_fires_and_one_in_which_it_does_not(name):
    stories = [one for path in RULE_TESTS for test in yaml.safe_load(path.read_text())["tests"]
               for one in test["alert_rule_test"] if one["alertname"] == name]  # fmt: skip
    assert any(one["exp_alerts"] for one in stories)
    assert any(not one["exp_alerts"] for one in stories)


def test_every_rule_file_has_stories_of_its_own():
    assert names(RULE_TESTS) == names(RULE_FILES)
