"""``worker``: the process that runs in production."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from monitor.core.facts.events import Event, Fact
from monitor.read_model.topics import Outgoing
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.announcements import decode_alert
from monitor.wire.events import encode_event
from tests.cli.conftest import Kafka, Run
from tests.cli.processes import process, stop


def until(condition: Callable[[], object], of: Popen[str], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert of.poll() is None, of.stderr.read()
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def is_ready(address: str) -> bool:
    try:
        with urlopen(f"{address}/readyz", timeout=5) as answer:
            return answer.status == 200
    except HTTPError as refused:
        refused.close()
        return False
    except URLError:
        return False


def event(kind: str, age_ms: int) -> Outgoing:
    fact = Fact(wall_ms() - age_ms, 0, f"e-{kind}", kind, {"customer": "Finance", "priority": "P1"})
    return Outgoing("tickets", *encode_event(Event("ticket", "T-1", fact)))


def test_it_measures_announces_serves_and_stops_cleanly(run: Run, kafka: Kafka, folder: Path, tmp_path: Path):
    # given an agreement (4 h for P1), and a ticket that was opened 4 h and a bit ago
    run("agreements", "apply", folder, "--yes")
    kafka.send(event("opened", age_ms=4 * 3_600_000 + 60_000))
    environment = {**kafka.environment, "SLA_MONITOR_WEB_PORT": "0"}
    with process("worker", "--no-check", "--json", environment=environment, folder=tmp_path) as worker:
        # when the worker has caught up
        address = ""
        for line in worker.stderr:
            said = json.loads(line)
            if said["message"].startswith("serving "):
                address = said["message"].split()[1].removesuffix("/metrics,")
                break
        until(lambda: is_ready(address), worker)
        until(lambda: kafka.read("alerts"), worker)
        with urlopen(f"{address}/metrics", timeout=5) as answer:
            metrics = answer.read().decode()
        code, out, err = stop(worker, signal.SIGTERM)

    # then the breach is on the topic, the metrics know it, and it went in order
    told = [decode_alert(record.value) for record in kafka.read("alerts")]
    assert ("T-1", "breached") in [(alert.key.what, alert.state) for alert in told]
    assert 'sla_alerts_total{kind="ticket",state="breached"} 1.0' in metrics
    assert 'sla_agreement_info{agreement="desk"' in metrics
    assert (code, out) == (0, "")
    assert "Traceback" not in err
    assert json.loads(err.splitlines()[-1])["message"] == "worker stopped"


@pytest.mark.parametrize("flags", [(), ("--no-check",)])
def test_without_topics_it_does_not_start_and_says_what_to_do(kafka: Kafka, flags: tuple[str, ...], tmp_path: Path):
    environment = {**kafka.environment, "SLA_MONITOR_TOPICS_AGREEMENTS": "nothing", "SLA_MONITOR_WEB_PORT": "0"}
    with process("worker", *flags, environment=environment, folder=tmp_path) as worker:
        _, err = worker.communicate(timeout=60)

    assert worker.returncode == 1
    assert err.splitlines()[-1].startswith("error, for the operator of Kafka: ")
    assert "Traceback" not in err
