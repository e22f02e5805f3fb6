"""A real Prometheus for a test: its own folder and port, scraping one address every second."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

RULES = Path(__file__).parents[2] / "deploy/prometheus/rules"
BINARY = shutil.which("prometheus")
SCRAPE_S = 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Prometheus:
    """Asks the HTTP interface of a server."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str, **parameters: str | float):
        with urlopen(f"{self.address}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def now(self, expr: str) -> list[dict]:
        """Return the samples of an instant query."""
        return self.get("query", query=expr)["result"]

    def over(self, expr: str, seconds: float) -> list[dict]:
        """Return the series of a range query over the last seconds."""
        end = time.time()
        return self.get("query_range", query=expr, start=end - seconds, end=end, step=SCRAPE_S)["result"]

    def label_values(self, label: str, selector: str) -> list[str]:
        """Return the values of a label, in their order."""
        return self.get(f"label/{label}/values", **{"match[]": selector})

    def rules(self) -> list[dict]:
        """Return all rules with their health and last error."""
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]

    def ready(self) -> bool:
        try:
            with urlopen(f"{self.address}/-/ready", timeout=1) as answer:
                return answer.status == 200
        except (URLError, OSError):
            return False


@contextmanager
def prometheus(target: str, folder: Path) -> Iterator[Prometheus]:
    """Start a Prometheus that scrapes ``host:port`` and evaluates the rules every second; it ends with the block."""
    config = folder / "prometheus.yml"
    for path in RULES.glob("*.yml"):
        (folder / f"rules-{path.name}").write_text(
            re.sub(r"^ +interval: .*$", "", path.read_text(), flags=re.MULTILINE)
        )
    config.write_text(
        f"global: {{scrape_interval: {SCRAPE_S}s, evaluation_interval: {SCRAPE_S}s}}\n"
        "rule_files: [rules-*.yml]\n"
        "scrape_configs:\n"
        f"  - {{job_name: sla-monitor, static_configs: [{{targets: ['{target}']}}]}}\n"
    )
    port = free_port()
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [BINARY, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", "--log.level=warn",
             f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log, stderr=log, cwd=folder,
        )  # fmt: skip
    server = Prometheus(f"http://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + 60
        while not server.ready():
            assert process.poll() is None, (folder / "prometheus.log").read_text()
            assert time.monotonic() < deadline, "Prometheus does not get ready"
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait(30)
