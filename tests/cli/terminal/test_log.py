"""What a worker's log lets through while the brokers are away."""

from __future__ import annotations

import logging

from monitor.cli.terminal.log import WHILE_S, OnceInAWhile


def record(at_s: float, name: str, message: str, *given: object, level: int = logging.ERROR) -> logging.LogRecord:
    made = logging.LogRecord(name, level, "", 0, message, given, None)
    made.created = 1_772_409_600 + at_s
    return made


def told(*records: logging.LogRecord) -> list[str]:
    sieve = OnceInAWhile(["aiokafka"])
    return [one.getMessage() for one in records if sieve.filter(one)]


def test_a_library_says_the_same_kind_of_thing_once_in_a_while_and_then_how_often_it_was_left_out():
    flood = [record(at / 10, "aiokafka.client", "Unable connect to node %s", at % 3) for at in range(100)]

    assert told(*flood, record(10.1, "aiokafka.client", "Unable connect to node %s", 5)) == [
        "Unable connect to node 0",
        "Unable connect to node 5 (and 99 times more in the 10 s before)",
    ]


def test_what_is_said_less_often_is_said_as_it_is():
    assert told(*[record(at, "aiokafka", "away") for at in (0, WHILE_S, 3 * WHILE_S)]) == ["away"] * 3


def test_other_kinds_other_loggers_and_what_is_critical_are_all_said():
    assert told(
        record(0, "aiokafka", "away"),
        record(0, "aiokafka", "fenced"),
        record(0, "aiokafka.consumer", "away"),
        *[record(at, "aiokafka", "gone", level=logging.CRITICAL) for at in (0, 1)],
        *[record(at, "monitor.stream", "away") for at in (0, 1)],
        *[record(at, "aiokafkaesque", "away") for at in (0, 1)],
    ) == ["away", "fenced", "away", "gone", "gone", "away", "away", "away", "away"]
