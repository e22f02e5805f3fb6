"""``topics acls``: the least rights, as command lines for people and as JSON for machines."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from monitor.config.settings.settings import load_settings
from monitor.installation import needed_rights, topic_plan
from tests.cli.conftest import Run, lines

JIRA = Path(__file__).parents[3] / "deploy" / "mappings" / "jira.yaml"


def test_the_lines_name_user_operations_and_resource(run: Run):
    done = run("topics", "acls", "--user", "sla", "--bootstrap", "kafka:9093")

    assert done.exit_code == 0
    granted = [shlex.split(line) for line in done.stdout.splitlines() if not line.startswith("#")]
    begin = ["kafka-acls", "--bootstrap-server", "kafka:9093", "--add", "--allow-principal", "User:sla"]
    assert all(words[:6] == begin for words in granted)
    rests = [" ".join(words[6:]) for words in granted]
    assert "--operation Read --group sla-monitor" in rests
    assert "--operation DescribeConfigs --operation Read --operation Write --topic alerts" in rests
    assert "--operation Write --resource-pattern-type prefixed --transactional-id sla-monitor-alerts-" in rests
    assert len(set(rests)) == len(rests)


def test_machines_get_a_line_for_each_right(run: Run):
    done = run("topics", "acls", "--user", "User:CN=desk, O=Acme", "--for", "producer", "--json")

    assert {line["resource"] for line in lines(done)} == {"tickets", "calls", "outages", "leads"}
    assert lines(done)[0] == {
        "principal": "User:CN=desk, O=Acme", "resource_type": "topic", "resource": "calls", "pattern": "literal",
        "operation": "Write", "permission": "allow",
    }  # fmt: skip


def test_the_user_of_the_settings_is_meant_where_none_is_named(run: Run):
    login = {"PROTOCOL": "SASL_SSL", "MECHANISM": "PLAIN", "USERNAME": "settler", "PASSWORD": "hunter2"}
    environment = {f"SLA_MONITOR_SECURITY_{name}": value for name, value in login.items()}

    done = run("topics", "acls", env=environment)

    assert "--allow-principal User:settler " in done.stdout
    assert "hunter2" not in done.output
    assert run("topics", "acls").exit_code == 2


def test_topics_of_others_are_read_and_the_topic_that_they_feed_is_written(tmp_path: Path):
    file = tmp_path / "settings.yaml"
    file.write_text(f"sources: [{{topic: hooks, mapping: {JIRA}}}]")

    rights = {(one.name, one.operation) for one in needed_rights(load_settings(file, {}), "worker")}

    assert {operation for name, operation in rights if name == "hooks"} == {"Read"}
    assert ("tickets", "Write") in rights
    assert ("calls", "Write") not in rights
    assert ("sla-monitor-hooks-state", "Write") in rights


@pytest.mark.parametrize("role", ["worker", "operator"])
def test_no_topic_of_the_plan_is_forgotten(role: str, tmp_path: Path):
    file = tmp_path / "settings.yaml"
    file.write_text(f"sources: [{{topic: hooks, mapping: {JIRA}}}]")
    settings = load_settings(file, {})

    named = {one.name for one in needed_rights(settings, role) if one.kind == "topic"}  # type: ignore[arg-type]

    assert named == {spec.name for spec in topic_plan(settings)}
