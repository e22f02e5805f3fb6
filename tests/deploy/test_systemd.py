"""The systemd unit and the example of all settings."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from monitor.config.settings.settings import PREFIX, catalogue, load_settings
from monitor.stream.partitions.worker import STOP_TIMEOUT_S
from tests.deploy.stack import ROOT, parse

UNIT = ROOT / "deploy/systemd/sla-monitor@.service"
PAGES = ROOT / "deploy/systemd/sla-monitor-web.service"
REPORTS = ROOT / "deploy/systemd/sla-monitor-reports.service"
each_unit = pytest.mark.parametrize("file", [UNIT, PAGES, REPORTS], ids=["worker", "pages", "reports"])
SETTINGS = ROOT / "deploy/settings.yaml"
PASSWORD = {"SLA_MONITOR_SECURITY_PASSWORD": "p"}

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")


class Repeated(dict):
    """Keeps all values of a key that is written several times, as systemd does."""

    def __setitem__(self, key, value):
        if isinstance(value, list) and key in self:
            value = [*self[key], *value]
        super().__setitem__(key, value)


@pytest.fixture
def service() -> dict[str, str]:
    parser = ConfigParser(strict=False, dict_type=Repeated, interpolation=None)
    parser.optionxform = str
    parser.read(UNIT)
    return dict(parser["Service"])


@needs_systemd
@each_unit
def test_systemd_accepts_the_unit(file: Path, tmp_path: Path):
    # Its program is not installed in /opt here: another one stands for it.
    unit = tmp_path / file.name.replace("@", "@6066")
    unit.write_text(file.read_text().replace("/opt/sla-monitor/bin/sla-monitor", sys.executable))
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=30, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")


@needs_systemd
@each_unit
def test_the_unit_leaves_an_intruder_little(file: Path):
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(file)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout[-300:]  # the exposure is at most 2.0 of 10


def test_it_runs_a_command_of_ours_with_settings_that_exist(service: dict[str, str]):
    program, *arguments = service["ExecStart"].split()
    assert program.endswith("/bin/sla-monitor")
    parse(arguments)
    variables = dict(line.split("=", 1) for line in service["Environment"].splitlines())
    assert {name for name in variables if name != f"{PREFIX}SETTINGS"} <= {one.variable for one in catalogue()}
    set_by_instance = {
        name: value.replace("%i", "6067").replace("%H", "host")
        for name, value in variables.items()
        if name != f"{PREFIX}SETTINGS"
    }
    settings = load_settings(SETTINGS, set_by_instance | PASSWORD)
    assert (settings.web.port, settings.instance_id) == (6067, "host-6067")


@pytest.mark.parametrize("file", [PAGES, REPORTS], ids=["pages", "reports"])
def test_a_unit_beside_the_workers_runs_a_command_of_ours(file: Path):
    (line,) = [one for one in file.read_text().splitlines() if one.startswith("ExecStart=")]
    parse(line.split()[1:])


def test_it_has_time_to_stop_and_comes_back_after_a_failure(service: dict[str, str]):
    assert float(service["TimeoutStopSec"].removesuffix("s")) > STOP_TIMEOUT_S
    assert (service["Restart"], service["KillSignal"]) == ("on-failure", "SIGTERM")


def test_the_example_holds_no_secret_and_names_every_section():
    settings = load_settings(SETTINGS, PASSWORD)
    assert settings.topics.replication == 3
    assert settings.reports.folder == "/var/lib/sla-monitor/reports", "as the unit makes it"
    text = SETTINGS.read_text()
    assert not re.search(r"^\s*\w*password:", text, re.MULTILINE)
    for section in {one.path[0] for one in catalogue() if len(one.path) > 1}:
        assert re.search(rf"^{section}:", text, re.MULTILINE), section


def test_the_example_says_the_defaults_where_it_does_not_say_otherwise():
    """Durations of the example that look like advice are the defaults: nobody has to wonder why they differ."""
    settings, default = load_settings(SETTINGS, PASSWORD), load_settings(None, {})
    for name in ("allowed_lateness_ms", "max_ahead_ms", "backfill_age_ms", "subject_retention_ms", "log_level"):
        assert getattr(settings, name) == getattr(default, name)
