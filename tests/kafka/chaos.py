"""Disturbs worker processes and their broker under load: kill -9, SIGTERM, SIGSTOP and SIGCONT, more and fewer workers.

Any worker that has a command line will do. The supervisor of the fleet restarts a worker that exited, as a deployment
does; a step of a plan says what happens to which worker, or to the broker, and when.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol, Self

Action = Literal["start", "kill", "term", "freeze", "thaw"]


BROKER: Final = "broker"
Target = int | Literal["broker"]


class Step(NamedTuple):
    """After ``at_s`` seconds do something to the worker of a number, or to the broker.

    ``term`` is final unless the worker is started again. A killed worker is restarted, a killed broker is not.
    """

    at_s: float
    action: Action
    target: Target

    def __str__(self) -> str:
        return f"{self.at_s:.1f} {self.action} {self.target}"


class Broker(Protocol):
    """A broker that can be disturbed."""

    def start(self) -> None: ...
    def kill(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...
    def revive(self) -> None: ...


class Life(NamedTuple):
    """One process of a worker: its exit code, and what it said."""

    worker: int
    code: int
    log: str


class Command(NamedTuple):
    """How to start the worker of a number."""

    arguments: Sequence[str]
    environment: Mapping[str, str]


@dataclass
class Fleet:
    """Worker processes, each restarted when it exits without having been asked to.

    ``lives`` lists all that ended; logs are in ``folder/worker-<number>.log``.
    """

    command: Callable[[int], Command]
    folder: Path
    restart_after_s: float = 1.0
    broker: Broker | None = None
    """The broker that steps may disturb. It is left running."""
    lives: list[Life] = field(default_factory=list)
    _begins: dict[int, int] = field(default_factory=dict)
    """Where in its log the present life of each worker begins."""
    _wanted: set[int] = field(default_factory=set)
    _processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    _supervisor: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._supervisor = asyncio.ensure_future(self._supervise())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._supervisor is not None
        if self.broker is not None:  # workers that stop need it
            await asyncio.to_thread(self.broker.revive)
        self._wanted.clear()
        self._supervisor.cancel()
        await asyncio.gather(self._supervisor, return_exceptions=True)
        for process in self._processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for number, process in self._processes.items():
            try:
                await asyncio.to_thread(process.wait, 30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._ended(number, process)
        self._processes.clear()

    def do(self, action: Action, target: Target) -> None:
        """Do one thing to one worker, or to the broker, now. A signal to a worker that does not run does nothing."""
        if target == BROKER:
            assert self.broker is not None
            assert action != "term"
            getattr(self.broker, action)()
            return
        self._do(action, target)

    def _do(self, action: Action, worker: int) -> None:
        if action == "start":
            self._wanted.add(worker)
            if worker not in self._processes:  # else it is still stopping: the supervisor starts it after that
                self._start(worker)
            return
        if action == "term":
            self._wanted.discard(worker)
        process = self._processes.get(worker)
        if process is None:  # it waits for its restart
            return
        process.send_signal({
            "kill": signal.SIGKILL, "term": signal.SIGTERM, "freeze": signal.SIGSTOP, "thaw": signal.SIGCONT,
        }[action])  # fmt: skip

    async def follow(self, plan: Sequence[Step]) -> None:
        """Do all steps of a plan at their times."""
        started = time.monotonic()
        for step in sorted(plan, key=lambda step: step.at_s):
            await asyncio.sleep(max(0.0, started + step.at_s - time.monotonic()))
            self.do(step.action, step.target)

    def log(self, worker: int) -> str:
        """Return what a worker has said, over all its restarts."""
        path = self.folder / f"worker-{worker}.log"
        return path.read_text() if path.exists() else ""

    @property
    def exits(self) -> list[tuple[int, int]]:
        """Return who ended, with what exit code, in that order."""
        return [(life.worker, life.code) for life in self.lives]

    @property
    def wanted(self) -> set[int]:
        """Return the numbers of the workers that shall run."""
        return set(self._wanted)

    def running(self) -> set[int]:
        """Return the numbers of the workers that run."""
        return {number for number, process in self._processes.items() if process.poll() is None}

    def _ended(self, worker: int, process: subprocess.Popen[bytes]) -> None:
        self.lives.append(Life(worker, process.returncode, self.log(worker)[self._begins[worker] :]))

    def _start(self, worker: int) -> None:
        arguments, environment = self.command(worker)
        self._begins[worker] = len(self.log(worker))
        with (self.folder / f"worker-{worker}.log").open("ab") as log:
            self._processes[worker] = subprocess.Popen(
                arguments, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
            )

    async def _supervise(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            for worker, process in list(self._processes.items()):
                if process.poll() is None:
                    continue
                del self._processes[worker]
                self._ended(worker, process)
                if worker in self._wanted:
                    asyncio.get_running_loop().call_later(self.restart_after_s, self._restart, worker)

    def _restart(self, worker: int) -> None:
        if worker in self._wanted and worker not in self._processes:
            self._start(worker)


async def run_chaos(
    fleet: Fleet,
    plan: Sequence[Step],
    *,
    produce: Callable[[], Awaitable[None]],
    settled: Callable[[], Awaitable[bool]],
    timeout_s: float = 120.0,
) -> None:
    """Produce load while the plan is followed, then wait until all of it was worked on.

    Raises:
        AssertionError: it was not within ``timeout_s``; the message holds the end of each worker's log.
    """
    async with fleet:
        await asyncio.gather(produce(), fleet.follow(plan))
        deadline = time.monotonic() + timeout_s
        while not await settled():
            if time.monotonic() > deadline:
                logs = "\n".join(f"--- {path.name}\n{path.read_text()[-3000:]}" for path in fleet.folder.glob("*.log"))
                raise AssertionError(f"the work did not end within {timeout_s:g} s; exits {fleet.exits}\n{logs}")
            await asyncio.sleep(0.5)
