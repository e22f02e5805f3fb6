"""Runs a tool as a process on one core and watches it from outside: its commits, its CPU and its memory.

The progress of a tool is what its consumer group has committed at the broker, sampled every 50 ms: only that outlives
a crash, and a tool that read ahead has not done it. Only Bytewax, which commits at no broker, and sla-monitor, whose
committed offset follows its transactions by seconds, tell their own progress.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple, Self

import orjson
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from tests.benchmarks.runs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.peers.place import Place

CORE: Final = 1
"""The core of what is measured."""
CORES: Final = os.sched_getaffinity(0)
EVERY_S: Final = 0.05
QUIET_S: Final = 3.0
"""A tool whose group has read its source to the end and commits nothing for so long is done."""
STOP_S: Final = 60.0
TICKS: Final = os.sysconf("SC_CLK_TCK")


class UnavailableError(Exception):
    """A tool cannot be measured here; the message says why."""


class WrongError(Exception):
    """A tool did not get through the job; the message says how far it got."""


class Sample(NamedTuple):
    """How far a tool had got at an instant: seconds of a monotonic clock, CPU seconds of the process, events."""

    at_s: float
    cpu_s: float
    events: int


class Ran(NamedTuple):
    """A tool's run over the job."""

    samples: list[Sample]
    """The last one is of the instant at which all was committed."""
    peak_mb: float
    told: dict[str, Any]
    """What it printed at its end."""


class Rate(NamedTuple):
    """Events a second, and microseconds of CPU for one of them."""

    per_s: float
    cpu_us: float


def rate(samples: Sequence[Sample], after: float = 0.0, until: float = 1.0) -> Rate | None:
    """Return the rate between two shares of the events; None if there are too few samples to tell.

    It begins with the first sample that has anything, so that starting up and joining a group do not count.
    """
    total = samples[-1].events
    begun = [one for one in samples if one.events and one.events >= after * total]
    first = begun[0]
    last = next(one for one in samples if one.events >= until * total)
    events = last.events - first.events
    if events <= 0 or last.at_s <= first.at_s:
        return None
    return Rate(events / (last.at_s - first.at_s), (last.cpu_s - first.cpu_s) / events * 1e6)


class Process:
    """A tool's process on its core, from ``with`` to its end. Asked to stop, it finds its stdin closed."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._cpu_s = 0.0
        self.peak_mb = 0.0

    def __enter__(self) -> Self:
        cores = {CORE} & CORES or CORES
        with self._log.open("wb") as errors, self._log.with_suffix(".out").open("wb") as output:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=output, stderr=errors,
                preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509 - here are no threads yet
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()

    @property
    def lives(self) -> bool:
        assert self._process is not None
        return self._process.poll() is None

    def cpu_s(self) -> float:
        """Return the CPU seconds of all its threads so far; those of the last reading once it has ended."""
        assert self._process is not None
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return self._cpu_s
        peak = status.partition("VmHWM:")[2].split()
        if peak:
            self.peak_mb = int(peak[0]) / 1024
            self._cpu_s = (int(fields[11]) + int(fields[12])) / TICKS
        return self._cpu_s

    def stop(self) -> dict[str, Any]:
        """Ask it to stop, wait for that, and return the JSON that it printed, if any.

        Raises:
            WrongError: it failed, or does not stop.
        """
        assert self._process is not None
        stdin: IO[bytes] | None = self._process.stdin
        assert stdin is not None
        stdin.close()
        try:
            code = self._process.wait(STOP_S)
        except subprocess.TimeoutExpired as error:
            raise WrongError(f"it did not stop within {STOP_S:.0f} s: {self.complaint()}") from error
        if code:
            raise WrongError(f"it ended with {code}: {self.complaint()}")
        lines = self._log.with_suffix(".out").read_bytes().splitlines()
        # Faust prints a banner of its own.
        told: dict[str, Any] = orjson.loads(next((one for one in lines[::-1] if one.startswith(b"{")), b"{}"))
        return told

    def complaint(self) -> str:
        """Return the end of what it wrote on stderr."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-1_500:]


@contextmanager
def beside_the_broker() -> Iterator[None]:
    """Keep this process off the core of what is measured for as long."""
    os.sched_setaffinity(0, CORES - {CORE} or CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


class Group:
    """What a consumer group has committed."""

    def __init__(self, admin: AIOKafkaAdminClient, name: str, source: str) -> None:
        self._admin = admin
        self._name = name
        self._source = source

    async def committed(self) -> tuple[int, int]:
        """Return the events of the source, and the offsets of all other topics that the group reads, added up."""
        try:
            offsets = await self._admin.list_consumer_group_offsets(self._name)
        except KafkaError:  # not there yet
            return 0, 0
        of_source = sum(one.offset for place, one in offsets.items() if place.topic == self._source and one.offset > 0)
        of_others = sum(one.offset for place, one in offsets.items() if place.topic != self._source and one.offset > 0)
        return of_source, of_others


async def watched(process: Process, place: Place) -> list[Sample]:
    """Watch the group of a tool until it has committed all events and is done with its own topics.

    Raises:
        WrongError: the process failed, or takes too long.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=place.bootstrap)
    await admin.start()
    try:
        with beside_the_broker():
            return await _watched(process, Group(admin, place.app_id, place.source), place.events, place.within_s)
    finally:
        await admin.close()


async def _watched(process: Process, group: Group, events: int, within_s: float) -> list[Sample]:
    samples: list[Sample] = []
    before = -1, -1
    changed = time.perf_counter()
    deadline = changed + within_s
    while True:
        cpu_s, now = process.cpu_s(), time.perf_counter()
        has_ended = not process.lives
        done = await group.committed()
        if done != before:
            before, changed = done, now
            samples.append(Sample(now, cpu_s, done[0]))
        if done[0] >= events and (has_ended or now - changed > QUIET_S):
            return samples
        if has_ended or now > deadline:
            how = "ended" if has_ended else f"was not done within {within_s:.0f} s,"
            raise WrongError(f"it {how} with {done[0]:,} of {events:,} events: {process.complaint()}")
        await asyncio.sleep(EVERY_S)


def ended(process: Process, place: Place) -> dict[str, Any]:
    """Wait until a process that tells its own progress has ended; return what it printed.

    Raises:
        WrongError: it takes too long, or failed.
    """
    deadline = time.monotonic() + place.within_s
    while process.lives:
        process.cpu_s()
        if time.monotonic() > deadline:
            raise WrongError(f"it was not done within {place.within_s:.0f} s: {process.complaint()}")
        time.sleep(4 * EVERY_S)
    return process.stop()
