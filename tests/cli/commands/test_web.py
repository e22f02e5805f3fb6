"""``web``: the pages as a process of their own."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from monitor.core.alerts.alert import Alert, AlertKey
from monitor.pages.access import hash_of
from monitor.read_model.topics import Outgoing
from monitor.wire.announcements import encode_alert
from monitor.wire.responses import Acknowledgement, decode_response
from tests.cli.conftest import Kafka, Run
from tests.cli.processes import process, stop


def test_it_serves_the_pages_of_what_stands_on_the_topics_until_it_is_told_to_stop(
    run: Run, kafka: Kafka, folder: Path
):
    run("agreements", "apply", folder, "--yes")
    with process("web", "--port", "0", environment=kafka.environment, folder=folder) as web:
        address = next(re.findall(r"http://\S+", line)[0] for line in web.stderr if "serving the pages on" in line)
        told = ""
        while "The [desk]" not in told:
            with urlopen(f"{address}/agreements", timeout=10) as answer:
                told = answer.read().decode()
        with urlopen(f"{address}/", timeout=10) as answer:
            assert "Breaks next" in answer.read().decode()
        code, out, _ = stop(web, signal.SIGTERM)

    assert (code, out) == (0, "")


def test_it_does_not_show_everything_to_everybody(run: Run, tmp_path: Path):
    settings = tmp_path / "settings.yaml"
    settings.write_text("pages: {host: 0.0.0.0}\n", encoding="utf-8")
    found = run("web", "--settings", str(settings))
    assert found.exit_code != 0
    assert "would serve the pages on 0.0.0.0 to everybody: no tokens are set" in found.stderr


def test_an_acknowledgement_from_a_page_goes_through_the_topic_and_leaves_a_line(kafka: Kafka, folder: Path):
    settings = folder / "settings.yaml"
    token = f"{{name: Robin, role: operator, sha256: {hash_of('a')}}}"
    settings.write_text(f"pages:\n  respond: true\n  tokens: [{token}]\n", encoding="utf-8")
    key = AlertKey("ticket", "T-1", "desk", "resolution", 1)
    labels = {"agreement": "desk", "promise": "resolution", "subject": "ticket"}
    out = Alert("1", key, "breached", 1, "due", 1, labels)
    kafka.send(Outgoing("alerts", *encode_alert(out, "tests"), partition=0))

    with process("web", "--port", "0", "--json", "--settings", str(settings), environment=kafka.environment,
                 folder=folder) as web:  # fmt: skip
        address = next(re.findall(r"http://[\d.:]+", line)[0] for line in web.stderr if "serving the pages on" in line)
        headers = {"Authorization": "Bearer a", "Sec-Fetch-Site": "same-origin"}
        page = ""
        while key.text() not in page:
            with urlopen(Request(f"{address}/alerts", headers=headers), timeout=10) as answer:
                page = answer.read().decode()
        form = urlencode({"key": key.text(), "note": "on my way"}).encode()
        with urlopen(Request(f"{address}/acknowledge", form, headers), timeout=20) as answer:
            assert answer.url == f"{address}/"
        with urlopen(Request(f"{address}/alerts", headers=headers), timeout=10) as answer:
            assert "Acknowledged by Robin" in answer.read().decode()
        _, _, err = stop(web, signal.SIGTERM)

    (written,) = [decode_response(one.value) for one in kafka.read("responses")]
    assert isinstance(written, Acknowledgement)
    assert (written.target, written.by, written.note) == (key.text(), "Robin", "on my way")
    (event,) = [line["event"] for line in map(json.loads, err.splitlines()) if "event" in line]
    assert (event["action"], event["outcome"], event["by"], event["from"]) == (
        "acknowledge", "written", "Robin", "127.0.0.1",
    )  # fmt: skip


def test_it_makes_a_token_and_its_hash(run: Run):
    found = run("web", "--new-token")
    token, sha256 = (line.split()[1] for line in found.stdout.splitlines())
    assert hash_of(token) == sha256
