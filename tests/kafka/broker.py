"""A real Apache Kafka for tests and benchmarks: one KRaft broker from Kafka's own jars, on localhost.

The jars are fetched once with Maven into a cache (~45 MB). Java 17 or newer and Maven must be installed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

KAFKA = "4.1.0"
LOG4J = "2.24.3"
ARTIFACTS = (
    ("org.apache.kafka", "kafka_2.13", KAFKA),
    ("org.apache.logging.log4j", "log4j-core", LOG4J),
    ("org.apache.logging.log4j", "log4j-slf4j2-impl", LOG4J),
)
CLUSTER_ID = "c2xhLW1vbml0b3ItdGVzdA"
QUIET_LOG4J = """
Configuration:
  Appenders:
    Console: {name: out, PatternLayout: {pattern: "%d %p %c %m%n"}}
  Loggers:
    Root: {level: warn, AppenderRef: {ref: out}}
"""


class UnavailableError(Exception):
    """There is no Kafka to test against; the message says why."""


def cache_folder() -> Path:
    """Return where the jars are kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sla-monitor-tests"


def fetch_jars() -> Path:
    """Return the folder of Kafka's jars; fetch them with Maven if they are not there.

    Raises:
        UnavailableError: Java or Maven is missing, or Maven cannot fetch.
    """
    jars = cache_folder() / f"kafka-{KAFKA}"
    if shutil.which("java") is None:
        raise UnavailableError("no SLA_TEST_BOOTSTRAP is set and there is no java to start Apache Kafka with")
    if jars.is_dir():
        return jars
    if shutil.which("mvn") is None:
        raise UnavailableError("no SLA_TEST_BOOTSTRAP is set and there is no mvn to fetch Apache Kafka with")
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"
        for group, name, version in ARTIFACTS
    )
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
        Path(work, "pom.xml").write_text(
            '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            "<groupId>sla-monitor</groupId><artifactId>kafka-jars</artifactId><version>1</version>"
            f"<dependencies>{dependencies}</dependencies></project>"
        )
        fetched = subprocess.run(
            ["mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
             "-DoutputDirectory=lib"],
            cwd=work, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        if fetched.returncode:
            raise UnavailableError(f"Maven cannot fetch Apache Kafka: {(fetched.stdout + fetched.stderr)[-600:]}")
        try:
            Path(work, "lib").rename(jars)
        except OSError:  # another run was faster
            if not jars.is_dir():
                raise
    return jars


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class KafkaBroker:
    """One broker, from ``with`` to its end. ``properties`` go into server.properties, ``java`` to the virtual machine.

    ``listeners`` are more listeners beside the plain one, each with its protocol and the host that it advertises; their
    addresses stand in ``addresses``. It can be killed and started again on the same data and the same ports, frozen and
    thawed.
    """

    def __init__(
        self,
        properties: Mapping[str, str] | None = None,
        *,
        heap: str = "512m",
        listeners: Mapping[str, tuple[str, str]] | None = None,
        java: Sequence[str] = (),
        format_options: Sequence[str] = (),
    ) -> None:
        self.java = java
        self.properties = dict(properties or {})
        self.heap = heap
        self.listeners = dict(listeners or {})
        self.format_options = format_options
        self.addresses: dict[str, str] = {}
        self.bootstrap = ""
        self._port = 0
        self._command: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        jars = fetch_jars()
        self._folder = tempfile.TemporaryDirectory(prefix="sla-monitor-kafka-")
        folder = Path(self._folder.name)
        port, controller = free_port(), free_port()
        self._port = port
        self.bootstrap = f"127.0.0.1:{port}"
        ports = {name: free_port() for name in self.listeners}
        self.addresses = {name: f"127.0.0.1:{number}" for name, number in ports.items()}
        more = "".join(f",{name}://127.0.0.1:{number}" for name, number in ports.items())
        advertised = "".join(f",{name}://{self.listeners[name][1]}:{number}" for name, number in ports.items())
        protocols = "".join(f",{name}:{protocol}" for name, (protocol, _) in self.listeners.items())
        config = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{more}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{advertised}",
            "listener.security.protocol.map": f"PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.num.partitions": "4",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            "log.cleaner.backoff.ms": "1000",
        } | self.properties
        properties = folder / "server.properties"
        properties.write_text("".join(f"{key}={value}\n" for key, value in config.items()))
        log4j = folder / "log4j2.yaml"
        log4j.write_text(QUIET_LOG4J)
        java = ["java", *self.java, f"-Xmx{self.heap}", f"-Dlog4j2.configurationFile={log4j}", "-cp", f"{jars}/*"]
        subprocess.run(
            [*java, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(properties), "--standalone",
             *self.format_options],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        self._log = (folder / "broker.log").open("wb")
        self._command = [*java, "kafka.Kafka", str(properties)]
        self.start()
        self.wait()
        return self

    def start(self) -> None:
        """Start the process, for the first time or on the data that a killed one left. It does not answer yet."""
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=subprocess.STDOUT)

    def kill(self) -> None:
        """End the process with SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Stop the process as a machine stops that swaps or is moved: connections stay, nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def revive(self) -> None:
        """Make sure that the broker runs and answers, whatever was done to it."""
        assert self._process is not None
        if self._process.poll() is None:
            self.thaw()
        else:
            self.start()
        self.wait()

    def wait(self) -> None:
        """Return as soon as the listener takes connections."""
        assert self._folder is not None
        log = Path(self._folder.name) / "broker.log"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        text = log.read_text()[-2000:]
        self.__exit__()
        raise RuntimeError(f"Apache Kafka did not start: {text}")

    def pin(self, core: int) -> None:
        """Keep the broker on one core, so that a benchmark has the others to itself."""
        cores = os.sched_getaffinity(0)
        if self._process is not None and core in cores and len(cores) > 1:
            for thread in Path(f"/proc/{self._process.pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {core})

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.kill()  # nobody needs its data: an orderly stop takes up to twenty seconds
            self._process = None
            self._log.close()
        if self._folder is not None:
            self._folder.cleanup()


def quick_broker() -> KafkaBroker:
    """Return a broker that is soon there again after it was killed, and that is slower at its work for it."""
    return KafkaBroker(
        # Else the controller waits for nine seconds whether the broker of before is still alive.
        {"broker.session.timeout.ms": "1000", "broker.heartbeat.interval.ms": "200"},
        java=("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
    )
