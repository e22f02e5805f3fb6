"""``demo``: what the README promises to somebody who has nothing but pip."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from urllib.request import urlopen

import monitor.demo
from monitor.cli.commands.demo import EXAMPLES
from tests.cli.conftest import Run
from tests.cli.processes import process, stop

DEPLOYED = Path(__file__).parents[3] / "deploy" / "agreements"


def test_it_ends_by_itself_having_shown_a_breach_and_a_summary(tmp_path: Path):
    with process("demo", "--for", "20", "--json", folder=tmp_path) as demo:
        out, err = demo.communicate(timeout=60)

    assert (demo.returncode, err) == (0, "")
    told = [json.loads(line) for line in out.splitlines()]
    assert told[0]["kind"] == "start"
    breaches = [one for one in told if one["kind"] == "alert" and one["state"] == "breached" and not one["backfill"]]
    assert breaches
    summary = told[-1]
    assert summary["kind"] == "summary"
    assert summary["events"] > 1000
    assert summary["first_breach_after_seconds"] < 20
    assert summary["healthy"]
    assert len(summary["agreements"]) == 8
    assert summary["pages"]
    assert len({one["id"] for one in told if one["kind"] == "alert"}) == sum(summary["alerts"].values())
    assert not list(tmp_path.iterdir())


def test_ctrl_c_ends_it_with_a_summary_and_without_noise(tmp_path: Path):
    with process("demo", "--speed", "120", folder=tmp_path) as demo:
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if "breached" in line:
                break
        code, rest, err = stop(demo, signal.SIGINT)

    assert (code, err) == (0, "")
    assert lines[0].startswith("board     http://127.0.0.1:")
    assert "× real time" in lines[1]
    assert any(line.startswith("promised  call-centre") for line in lines)
    assert "the first breach after" in rest


def test_ctrl_c_while_it_is_still_starting_is_no_traceback(tmp_path: Path):
    with process("demo", environment={"PYTHONVERBOSE": "1"}, folder=tmp_path) as demo:
        assert any("import 'monitor.errors'" in line for line in demo.stderr)  # it has begun to import its parts
        code, out, err = stop(demo, signal.SIGINT)

    assert (code, out) == (130, "")
    assert "Traceback (most recent call last)" not in err


def test_its_addresses_can_be_opened_while_it_runs(tmp_path: Path):
    with process("demo", "--json", folder=tmp_path) as demo:
        addresses = json.loads(demo.stdout.readline())["addresses"]
        for line in demo.stdout:
            if json.loads(line)["kind"] == "alert":
                break
        with urlopen(addresses["metrics"], timeout=10) as answer:
            metrics = answer.read().decode()
        with urlopen(addresses["health"], timeout=10) as answer:
            health = answer.status
        with process("tail", "alerts", "--no-follow", "--bootstrap", addresses["kafka"], folder=tmp_path) as tail:
            alerts, _ = tail.communicate(timeout=60)
        code, _, err = stop(demo, signal.SIGTERM)

    assert health == 200
    assert 'sla_agreement_info{agreement="call-centre"' in metrics
    assert 'sla_events_total{partition="0",topic="tickets"}' in metrics
    assert "about to miss" in alerts
    assert (code, err) == (0, "")


def test_own_agreements_are_checked_before_anything_starts(run: Run, folder: Path):
    (folder / "desk.yaml").write_text("agreement: desk\n")
    result = run("demo", "--agreements", folder, "--for", "1")
    assert result.exit_code == 1
    assert "desk.yaml" in result.stderr


def test_the_examples_it_brings_are_those_of_deploy():
    assert EXAMPLES.is_relative_to(Path(monitor.demo.__file__).parent)  # so that a wheel holds them
    assert not EXAMPLES.is_symlink()  # a wheel is built from the package alone
    assert DEPLOYED.resolve() == EXAMPLES.resolve()  # one copy, under both names
    assert len([*EXAMPLES.iterdir()]) == 6
