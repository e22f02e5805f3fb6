"""A real worker process that may have only so much memory, and what can be seen of it from outside.

The limit is ``RLIMIT_DATA``: all memory that the process may write to and shares with nobody, whether it has touched it
or not; beyond it the allocation fails. That is stricter than a cgroup, which counts touched pages, and needs no rights.
``RLIMIT_AS`` would count what is merely mapped, too: libraries, and 64 MiB of reserved addresses for each thread.
"""

from __future__ import annotations

import re
import resource
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

MIB = 1 << 20
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_SERVES = re.compile(r"serving (http://\S+)/metrics")


class Sample(NamedTuple):
    """One line of /metrics."""

    name: str
    labels: dict[str, str]
    value: float


class Page:
    """What /metrics said, and in how many seconds."""

    def __init__(self, text: str, seconds: float) -> None:
        self.text = text
        self.seconds = seconds
        self._samples: dict[str, list[Sample]] = {}
        for name, labels, value in _SAMPLE.findall(text):
            self._samples.setdefault(name, []).append(Sample(name, dict(_LABEL.findall(labels)), float(value)))

    def all(self, name: str, **labels: str) -> list[Sample]:
        """Return the samples of a metric that have these labels."""
        return [one for one in self._samples.get(name, ()) if labels.items() <= one.labels.items()]

    def sum(self, name: str, **labels: str) -> float:
        """Return the sum of these samples."""
        return sum(one.value for one in self.all(name, **labels))


class LimitedWorker:
    """``sla-monitor worker`` as a process of its own, with a limit to its memory, from ``with`` to its end."""

    def __init__(self, environment: Mapping[str, str], log: Path, limit_bytes: int) -> None:
        self.environment = environment
        self.limit_bytes = limit_bytes
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._begin = 0
        self.most_data_bytes = 0
        """The most writable memory that was seen at a reading."""

    def __enter__(self) -> Self:
        self._begin = len(self.log)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "worker"],
                env=dict(self.environment), stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        # At once, from outside: it needs far less until its interpreter is up.
        resource.prlimit(self._process.pid, resource.RLIMIT_DATA, (self.limit_bytes, self.limit_bytes))
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    @property
    def log(self) -> str:
        """Return what was logged, over all restarts."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    @property
    def pid(self) -> int:
        """Return the process id of this life."""
        assert self._process is not None
        return self._process.pid

    def lives(self) -> bool:
        """Return whether the process runs."""
        assert self._process is not None
        return self._process.poll() is None

    def end(self) -> int | None:
        """Return the exit code, None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def get(self, page: str) -> tuple[int, str]:
        """Ask the worker for a page; 0 if it does not serve (yet)."""
        served = _SERVES.findall(self.log[self._begin :])
        try:
            with urllib.request.urlopen(f"{served[-1]}/{page}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()
        except (OSError, IndexError) as error:
            return 0, str(error)

    def page(self) -> Page:
        """Return /metrics; empty while it is not served."""
        started = time.monotonic()
        status, text = self.get("metrics")
        self._note()
        return Page(text if status == 200 else "", time.monotonic() - started)

    def ready(self, timeout_s: float) -> float:
        """Wait until it is ready; return the seconds that it took.

        Raises:
            AssertionError: it ends, or is not ready in time.
        """
        started = time.monotonic()
        while self.get("readyz")[0] != 200:
            if not self.lives() or time.monotonic() - started > timeout_s:
                raise AssertionError(f"not ready; exit code {self.end()}: {self.log[-4000:]}")
            time.sleep(0.1)
        return time.monotonic() - started

    def peak_bytes(self) -> int:
        """Return the largest resident memory since the last `reset_peak`, libraries and all."""
        return self._status("VmHWM")

    def resident_bytes(self) -> int:
        """Return the resident memory at present, libraries and all."""
        return self._status("VmRSS")

    def reset_peak(self) -> None:
        """Begin to measure anew."""
        assert self._process is not None
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")
        self.most_data_bytes = 0

    def cpu_s(self) -> float:
        """Return the seconds of processor time so far."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def _note(self) -> None:
        if self.lives():
            self.most_data_bytes = max(self.most_data_bytes, self._status("VmData"))

    def _status(self, name: str) -> int:
        assert self._process is not None
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(text.partition(f"{name}:")[2].split()[0]) * 1024 if name in text else 0


class Alerts:
    """Follows a topic of alerts as a ``read_committed`` reader, in a thread of its own."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        """By agreement and state, each announcement once."""
        self.twice = 0
        self.delays_s: list[tuple[str, float]] = []
        """Agreement and seconds from the breach to this reader, of what is not marked ``backfill``."""
        self._ids: set[bytes] = set()
        self._stop = threading.Event()
        self._consumer = _reader(bootstrap, topic, partitions)
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        self._consumer.close()

    def _follow(self) -> None:
        while not self._stop.is_set():
            for message in self._consumer.consume(1_000, 0.2):
                if message.error() is None:
                    self._hear(message.value())

    def _hear(self, value: bytes) -> None:
        now_ms = time.time() * 1000
        one = orjson.loads(value)
        data, alert_id = one["data"], bytes.fromhex(one["id"]) if len(one["id"]) % 2 == 0 else one["id"].encode()
        if alert_id in self._ids:
            self.twice += 1
            return
        self._ids.add(alert_id)
        self.counts[data["agreement"], data["state"]] += 1
        if data["state"] == "breached" and not data["backfill"]:
            self.delays_s.append((data["agreement"], (now_ms - data["at_ms"]) / 1000))


def _reader(bootstrap: str, topic: str, partitions: int) -> Consumer:
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False,
         "isolation.level": "read_committed", "enable.partition.eof": False}
    )  # fmt: skip
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(partitions)])
    return consumer


def records(bootstrap: str, topic: str, partitions: int, quiet_s: float = 2.0) -> Iterator[Any]:
    """Yield all committed messages of a topic, until none has come for a while."""
    consumer = _reader(bootstrap, topic, partitions)
    try:
        while messages := consumer.consume(10_000, quiet_s):
            yield from (one for one in messages if one.error() is None)
    finally:
        consumer.close()
