"""``web``: the pages as a process of their own."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from urllib.request import urlopen

from monitor.pages.access import hash_of
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


def test_it_makes_a_token_and_its_hash(run: Run):
    found = run("web", "--new-token")
    token, sha256 = (line.split()[1] for line in found.stdout.splitlines())
    assert hash_of(token) == sha256
