"""Bytewax: a stateful step by ticket, then tumbling windows by customer; snapshots of the state once a second.

Fair to it: reads a thousand records at once, and librdkafka's queues are large. It knows no transactions, so what it
wrote since the last snapshot is written again after a crash (at least once). Its windows wait for late data by a
setting: with 72 h all of the job is in them, which keeps every window open to the end; with 2 h the answers of
partitions that lag behind by more while it catches up are dropped, and counted. It commits at no broker: progress
is what it has read, and the end is its own, when it has read the topic to its end and closed all windows.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kafka
from bytewax.dataflow import Dataflow
from bytewax.operators import windowing
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import cluster_main

BATCH: Final = 1_000
EVERY: Final = 5_000
"""A sample is taken after so many events."""


class Job:
    """The steps of the dataflow, what has passed them, and the windows that were closed."""

    def __init__(self, targets: dict[str, int]) -> None:
        self._targets = targets
        self.samples: list[tuple[float, float, int]] = []
        self.totals: dict[str, list[int]] = {}
        """Count, sum and maximum by customer."""
        self.events = 0
        self.late = 0

    def sample(self) -> None:
        self.samples.append((time.perf_counter(), time.process_time(), self.events))

    def parse(self, message: Any) -> tuple[str, dict[str, Any]]:
        self.events += 1
        if self.events % EVERY == 1:
            self.sample()
        event = orjson.loads(message.value)
        return event["ticket"], event

    def respond(self, opened_ms: int | None, event: dict[str, Any]) -> tuple[int | None, list[dict[str, Any]]]:
        if event["type"] == "opened":
            return event["time"], []
        if opened_ms is None:
            return None, []
        answer = {
            "ticket": event["ticket"], "customer": event["customer"], "priority": event["priority"],
            "at": event["time"], "took": event["time"] - opened_ms, "target": self._targets[event["priority"]],
        }  # fmt: skip
        return None, [answer]

    def keep(self, item: tuple[str, tuple[int, list[int]]]) -> None:
        customer, (_, pane) = item
        self.totals[customer] = merge(self.totals.get(customer, [0, 0, 0]), pane)

    def drop(self, _: object) -> None:
        self.late += 1


def add(pane: list[int], answer: dict[str, Any]) -> list[int]:
    return [pane[0] + 1, pane[1] + answer["took"], max(pane[2], answer["took"])]


def merge(one: list[int], other: list[int]) -> list[int]:
    return [one[0] + other[0], one[1] + other[1], max(one[2], other[2])]


def dataflow(plan: dict[str, Any], job: Job) -> Dataflow:
    """Return the dataflow: late answers to their topic, and panes to the job."""
    flow = Dataflow("peer")
    bootstrap = [plan["bootstrap"]]
    read = kafka.input(
        "read", flow, brokers=bootstrap, topics=[plan["source"]], tail=False, batch_size=BATCH,
        add_config={"queued.min.messages": "100000"},
    )  # fmt: skip
    answers = op.stateful_flat_map("respond", op.map("parse", read.oks, job.parse), job.respond)
    late = op.filter("late", answers, lambda item: item[1]["took"] >= item[1]["target"])
    messages = op.map("write", late, lambda item: KafkaSinkMessage(item[0].encode(), orjson.dumps(item[1])))
    kafka.output("out", messages, brokers=bootstrap, topic=plan["late"], add_config={"acks": "all", "linger.ms": "20"})
    windows = windowing.fold_window(
        "panes",
        op.map("by_customer", answers, lambda item: (item[1]["customer"], item[1])),
        windowing.EventClock(
            lambda answer: datetime.fromtimestamp(answer["at"] / 1000, UTC),
            wait_for_system_duration=timedelta(hours=plan["waits_h"]),
        ),
        windowing.TumblingWindower(length=timedelta(minutes=1), align_to=datetime(2020, 1, 1, tzinfo=UTC)),
        lambda: [0, 0, 0],
        add,
        merge,
        ordered=False,
    )
    op.inspect("kept", op.filter_map("keep", windows.down, job.keep))
    op.inspect("dropped", op.filter_map("drop", windows.late, job.drop))
    return flow


def main(plan: dict[str, Any]) -> None:
    """Run the dataflow over the topic to its end; print samples and panes."""
    job = Job(plan["targets"])
    state = Path(plan["folder"], "state")
    state.mkdir()
    init_db_dir(state, 1)
    recovery = RecoveryConfig(str(state))
    cluster_main(dataflow(plan, job), [], 0, epoch_interval=timedelta(seconds=1), recovery_config=recovery)
    job.sample()
    print(json.dumps({"samples": job.samples, "late": job.late, "panes": job.totals}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
