"""``settings``: every value and where it comes from."""

from __future__ import annotations

from pathlib import Path

from monitor.config.settings.settings import catalogue
from tests.cli.conftest import Run, lines


def test_it_tells_values_and_origins_but_no_secrets(run: Run, tmp_path: Path):
    file = tmp_path / "monitor.yaml"
    file.write_text(
        "session_timeout: 20s\nsecurity: {protocol: SASL_SSL, mechanism: PLAIN, username: sla, password: hunter2}\n"
    )
    environment = {"SLA_MONITOR_TOPICS_PARTITIONS": "16"}
    result = run("settings", "--settings", file, "--bootstrap", "kafka:9092", "--json", env=environment)

    told = {line["name"]: (line["value"], line["origin"]) for line in lines(result)}
    assert told.keys() == {setting.name for setting in catalogue()}
    assert told["session_timeout"] == ("20s", f"{file}:1")
    assert told["topics.partitions"] == ("16", "SLA_MONITOR_TOPICS_PARTITIONS")
    assert told["bootstrap"] == ("kafka:9092", "--bootstrap")
    assert told["app_id"] == ("sla-monitor", "default")
    assert "hunter2" not in result.output


def test_people_get_a_table(run: Run):
    result = run("settings")
    assert result.exit_code == 0
    assert "session_timeout" in result.stdout
    assert "default" in result.stdout
