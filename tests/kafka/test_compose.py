"""The compose stack without Docker: its own commands and variables, on a Kafka with its own configuration.

Only addresses and paths are others: names of services become 127.0.0.1 with free ports, mounts their sources.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
import yaml
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from tests.cli.processes import process, stop
from tests.deploy.stack import ROOT, ours, services
from tests.kafka.broker import QUIET_LOG4J, UnavailableError, fetch_jars, free_port

SERVICES = services()
WORKERS = ("worker-1", "worker-2")
PROMETHEUS = ROOT / "deploy/prometheus/prometheus.yml"
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
PORTS = ("9092", "9093", "9094")
"""Those of the broker, inside its container."""
OF_THE_JVM = {"KAFKA_HEAP_OPTS"}


class ComposeBroker:
    """Kafka as the compose file configures it: the image makes properties of its variables and formats the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {port: str(free_port()) for port in PORTS}
        self.inside, self.from_host = (f"127.0.0.1:{self.ports[port]}" for port in ("9092", "9094"))

    def properties(self) -> dict[str, str]:
        found = {
            name.removeprefix("KAFKA_").lower().replace("_", "."): self._here(value)
            for name, value in SERVICES["kafka"]["environment"].items()
            if name.startswith("KAFKA_") and name not in OF_THE_JVM
        }
        return found | {"log.dirs": str(self.folder / "data")}

    def _here(self, value: str) -> str:
        value = value.replace("://:", "://127.0.0.1:").replace("kafka:", "127.0.0.1:")
        for inside, here in self.ports.items():
            value = value.replace(f":{inside}", f":{here}")
        return value

    def __enter__(self) -> Self:
        jars = fetch_jars()
        self.folder.mkdir()
        properties, log4j = self.folder / "server.properties", self.folder / "log4j2.yaml"
        properties.write_text("".join(f"{key}={value}\n" for key, value in self.properties().items()))
        log4j.write_text(QUIET_LOG4J)
        environment = SERVICES["kafka"]["environment"]
        java = [
            "java",
            *environment["KAFKA_HEAP_OPTS"].split(),
            f"-Dlog4j2.configurationFile={log4j}",
            "-cp",
            f"{jars}/*",
        ]
        subprocess.run(
            [*java, "kafka.tools.StorageTool", "format", "-t", environment["CLUSTER_ID"], "-c", str(properties)],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        self._log = (self.folder / "broker.log").open("wb")
        self._process = subprocess.Popen(
            [*java, "kafka.Kafka", str(properties)], stdout=self._log, stderr=subprocess.STDOUT
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # nobody needs its data: an orderly stop takes up to twenty seconds
        self._process.wait()
        self._log.close()

    async def brokers_at(self, bootstrap: str) -> set[str]:
        """The addresses that a client learns there; nothing while it does not answer."""
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        try:
            await admin.start()
            found = await admin.describe_cluster()
        except KafkaError:
            assert self._process.poll() is None, (self.folder / "broker.log").read_text()[-2000:]
            return set()
        finally:
            await admin.close()
        return {f"{broker['host']}:{broker['port']}" for broker in found["brokers"]}


class Stack:
    """The services of ours, from their order of start to their end."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in WORKERS}
        self.board = f"127.0.0.1:{free_port()}"
        self.bootstrap = bootstrap
        self.alertmanager = f"127.0.0.1:{free_port()}"

    def environment(self, name: str) -> dict[str, str]:
        found = {
            key: value.replace("kafka:9092", self.bootstrap) for key, value in SERVICES[name]["environment"].items()
        }
        if name in self.ports:
            assert found["SLA_MONITOR_WEB_HOST"] == "0.0.0.0"
            found |= {"SLA_MONITOR_WEB_HOST": "127.0.0.1", "SLA_MONITOR_WEB_PORT": str(self.ports[name])}
        if name == "web":
            host, port = self.board.split(":")
            found |= {"SLA_MONITOR_PAGES_HOST": host, "SLA_MONITOR_PAGES_PORT": port}
        return found

    def path(self, text: str, name: str) -> str:
        """An argument with the paths of the container as paths of this machine."""
        for mount in SERVICES[name].get("volumes", ()):
            if text.startswith(mount["target"]):
                if mount["type"] == "volume":
                    (self.folder / mount["source"]).mkdir(exist_ok=True)  # as the engine does
                    return text.replace(mount["target"], str(self.folder / mount["source"]), 1)
                source = ROOT / mount["source"]
                if source.is_file():
                    here = self.folder / f"{name}-{source.name}"
                    here.write_text(source.read_text().replace("alertmanager:9093", self.alertmanager))
                    return str(here)
                return text.replace(mount["target"], str(source), 1)
        return text.replace("/tmp/", f"{self.folder}/{name}-")  # each container has a /tmp of its own

    @contextmanager
    def start(self, name: str) -> Iterator[subprocess.Popen[str]]:
        arguments = [self.path(one, name) for one in SERVICES[name]["command"]]
        with process(*arguments, environment=self.environment(name), folder=self.folder) as started:
            yield started

    def once(self, name: str) -> None:
        """Run a service that ends by itself."""
        with self.start(name) as started:
            _, err = started.communicate(timeout=120)
            assert started.returncode == 0, err

    def is_healthy(self, name: str) -> bool:
        """Run the service's own health check."""
        kind, *check = SERVICES[name]["healthcheck"]["test"]
        if kind == "CMD-SHELL":
            check = ["sh", "-c", self.path(check[0], name)]
        else:
            assert check[0] == "sla-monitor"
            check = [sys.executable, "-m", "monitor", *check[1:]]
        return subprocess.run(check, env={**os.environ, **self.environment(name)}, check=False).returncode == 0

    def shown(self, path: str, token: str) -> str:
        """A page of the board, for whoever has the token."""
        asking = Request(f"http://{self.board}{path}", headers={"Authorization": f"Bearer {token}"})
        with urlopen(asking, timeout=5) as answer:
            return answer.read().decode()

    def page(self, name: str, path: str) -> str:
        with urlopen(f"http://127.0.0.1:{self.ports[name]}{path}", timeout=5) as answer:
            return answer.read().decode()


def until(what: str, condition: Callable[[], Any], timeout_s: float = 120.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if found := condition():
                return found
        except URLError:
            pass
        assert time.monotonic() < deadline, f"it did not come to pass: {what}"
        time.sleep(0.1)


def total(pages: list[str], metric: str, **labels: str) -> float:
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(
        float(line.rsplit(" ", 1)[1])
        for page in pages
        for line in page.splitlines()
        if line.startswith(f"{metric}{{") and all(one in line for one in wanted)
    )


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ComposeBroker]:
    try:
        started = ComposeBroker(tmp_path / "kafka").__enter__()
    except UnavailableError as reason:
        pytest.skip(str(reason))
    try:
        yield started
    finally:
        started.__exit__()


@pytest.fixture
def stack(broker: ComposeBroker, tmp_path: Path) -> Stack:
    return Stack(broker.inside, tmp_path)


def test_the_stack_comes_up_shows_the_demo_and_goes_down(broker: ComposeBroker, stack: Stack):
    # given the broker, which services and people on this machine each reach at an address of their own
    for address in (broker.inside, broker.from_host):
        assert until("Kafka answers", lambda at=address: asyncio.run(broker.brokers_at(at))) == {address}

    # and what the file lets run once, in its order
    assert list(SERVICES["agreements"]["depends_on"]) == ["topics"]
    stack.once("topics")
    stack.once("agreements")

    with ExitStack() as running:
        if ALERTMANAGER:
            running.enter_context(alertmanager(stack))
        # when the workers are well, as the file asks it, the traffic starts
        workers = {name: running.enter_context(stack.start(name)) for name in WORKERS}
        for name in WORKERS:
            until(f"{name} answers", lambda name=name: stack.page(name, "/healthz"))
        assert stack.is_healthy("worker-1")
        traffic = running.enter_context(stack.start("traffic"))
        until("traffic is healthy", lambda: stack.is_healthy("traffic"))

        # then both become ready, share the partitions, read all that was sent, and figures are there
        for name in WORKERS:
            until(f"{name} is ready", lambda name=name: stack.page(name, "/readyz"))

        def pages() -> list[str]:
            return [stack.page(name, "/metrics") for name in WORKERS]

        for topic in ("tickets", "calls", "outages"):
            until(f"events of {topic}", lambda topic=topic: total(pages(), "sla_events_total", topic=topic) > 0)
        until("all is read", lambda: total(pages(), "sla_lag_records") == 0)
        assert total(pages(), "sla_events_total") > 5_000
        until("figures", lambda: total(pages(), "sla_call_service_level_ratio") > 0)
        until("alerts", lambda: total(pages(), "sla_alerts_total") > 0)
        assert all(total([page], "sla_events_total") > 0 for page in pages())

        # and the group's committed offsets tell the lag by which Kubernetes may scale
        assert {"tickets", "calls", "outages"} <= asyncio.run(topics_with_offsets(stack.bootstrap, "sla-monitor"))

        # and Prometheus, with the configuration that the file mounts, sees both
        if PROMETHEUS.exists() and shutil.which("prometheus"):
            with prometheus(stack) as address:
                until(
                    "Prometheus has scraped both",
                    lambda: query(address, 'sum(up{job="sla-monitor"})') == 2,
                )

        # and whoever the agreements name is paged: the Alertmanager that the file configures has the alerts
        if ALERTMANAGER:
            paged = until("somebody is paged", lambda: alerts_of(stack.alertmanager))
            assert all(one["labels"]["page"] and one["labels"]["agreement"] for one in paged)
            until("it is told", lambda: total(pages(), "sla_deliveries_total", outcome="delivered") > 0)

        # and the board shows it in a browser to whoever has the token that the file names, and to nobody else
        web = running.enter_context(stack.start("web"))
        until("the topics are followed", lambda: "following" in stack.shown("/healthz", ""))
        assert "Objectives broken" in stack.shown("/", "try-it-out")
        with pytest.raises(HTTPError, match="401"):
            stack.shown("/api/v1/status", "another")

        # and whoever writes the reports of finished months follows their topic
        reports = running.enter_context(stack.start("reports"))
        until("the follower of reports is healthy", lambda: stack.is_healthy("reports"))

        # and all of them stop well when they are told to
        for started in (reports, web, traffic, *workers.values()):
            code, _, err = stop(started, signal.SIGTERM)
            assert code == 0, err


async def topics_with_offsets(bootstrap: str, group: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        committed = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return {tp.topic for tp, one in committed.items() if one.offset > 0}


def test_every_service_of_ours_is_exercised_here():
    assert set(ours(SERVICES)) == {"topics", "agreements", "traffic", "web", "reports", *WORKERS}


@contextmanager
def prometheus(stack: Stack) -> Iterator[str]:
    """Debian's Prometheus with the mounted configuration; the services' names stand for this machine."""
    config = yaml.safe_load(PROMETHEUS.read_text())
    config["global"] = {**config.get("global", {}), "scrape_interval": "1s", "scrape_timeout": "1s"}
    config.pop("alerting", None)  # no Alertmanager here
    config["rule_files"] = [str(ROOT / "deploy/prometheus/rules/*.yml")]
    jobs = [one for one in config["scrape_configs"] if one["job_name"] == "sla-monitor"]
    for job in jobs:
        job.pop("scrape_interval", None)
        job.pop("scrape_timeout", None)
        job.pop("dns_sd_configs", None)  # that it names the workers is tested with the compose file
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in stack.ports.values()]}]
    config["scrape_configs"] = jobs
    file = stack.folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    started = subprocess.Popen(
        ["prometheus", f"--config.file={file}", f"--storage.tsdb.path={stack.folder / 'tsdb'}",
         f"--web.listen-address={address}", "--log.level=warn"],
    )  # fmt: skip
    try:
        yield address
    finally:
        started.terminate()
        started.wait(20)


@contextmanager
def alertmanager(stack: Stack) -> Iterator[None]:
    """Debian's Alertmanager with the mounted configuration."""
    started = subprocess.Popen(
        [str(ALERTMANAGER), f"--config.file={ROOT / 'deploy/alertmanager/alertmanager.yml'}",
         f"--storage.path={stack.folder / 'alertmanager'}", f"--web.listen-address={stack.alertmanager}",
         "--cluster.listen-address=", "--log.level=error"],
    )  # fmt: skip
    try:
        yield
    finally:
        started.terminate()
        started.wait(20)


def alerts_of(address: str) -> list[dict[str, Any]]:
    with urlopen(f"http://{address}/api/v2/alerts", timeout=5) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def query(address: str, expression: str) -> float:
    with urlopen(f"http://{address}/api/v1/query?query={quote(expression)}", timeout=5) as answer:
        found = json.load(answer)["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0
