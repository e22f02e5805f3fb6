"""A test that is marked ``alone`` runs when no test of another process does, and is not kept waiting by new ones."""

from __future__ import annotations

import fcntl
import threading
import time
from pathlib import Path

import pytest

from tests.turns import Turns


class Runner(threading.Thread):
    """A process of the run, with one test; it says when the test begins and ends."""

    def __init__(self, turns: Turns, said: list[str], name: str, *, alone: bool) -> None:
        super().__init__(daemon=True)
        self.turns, self.said, self.label, self.alone = turns, said, name, alone
        self.begun, self.may_end = threading.Event(), threading.Event()

    def run(self) -> None:
        with self.turns.turn(alone=self.alone):
            self.said.append(f"{self.label} begins")
            self.begun.set()
            self.may_end.wait(30)
            self.said.append(f"{self.label} ends")

    def end(self) -> None:
        self.may_end.set()
        self.join(30)
        assert not self.is_alive()


def until_it_waits(turns: Turns) -> None:
    """Return as soon as somebody waits to be alone."""
    deadline = time.monotonic() + 30
    while True:
        with turns.queue.open("a") as queue:
            try:
                fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.01)


@pytest.fixture
def turns(tmp_path: Path) -> Turns:
    return Turns(tmp_path)


def test_tests_run_side_by_side(turns: Turns):
    said: list[str] = []
    first, second = (Runner(turns, said, name, alone=False) for name in ("first", "second"))
    for one in (first, second):
        one.start()
        assert one.begun.wait(30)
    first.end()
    second.end()

    assert said == ["first begins", "second begins", "first ends", "second ends"]


def test_one_that_is_alone_waits_for_those_that_run_and_goes_before_those_that_come(turns: Turns):
    said: list[str] = []
    runs, comes = (Runner(turns, said, name, alone=False) for name in ("who runs", "who comes"))
    alone = Runner(turns, said, "who is alone", alone=True)
    runs.start()
    assert runs.begun.wait(30)
    alone.start()
    until_it_waits(turns)
    comes.start()
    assert not comes.begun.wait(0.2)
    runs.end()
    assert alone.begun.wait(30)
    assert not comes.begun.wait(0.2)
    alone.end()
    comes.end()

    assert said == [
        *("who runs begins", "who runs ends"),
        *("who is alone begins", "who is alone ends"),
        *("who comes begins", "who comes ends"),
    ]


def test_a_test_that_fails_gives_its_turn_back(turns: Turns):
    with pytest.raises(ZeroDivisionError), turns.turn(alone=True):
        raise ZeroDivisionError

    with turns.turn(alone=True):
        pass
