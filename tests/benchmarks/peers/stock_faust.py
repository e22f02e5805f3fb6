"""Stock Faust: an agent over single events, a table of tickets and a tumbling table by customer; at least once.

Fair to it: records with declared fields and without validation, in-memory stores with a changelog (its default and
faster than RocksDB), windows by the event's time, and fetches and batches larger than the defaults. A changelog follows
the partition of the event, so a pane that is fed by several would be restored wrongly: panes are kept by source
partition, which is cheaper than to move answers by customer through a topic. Its exactly-once mode leaves changelogs
outside of the transaction, so it is measured as it is used. Progress is what its group has committed; panes are read
from the table's changelog.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any, Final

import faust

PARTITIONS: Final = 4
WINDOW_S: Final = 60.0
KEPT_S: Final = 7 * 86_400.0


class Event(faust.Record, serializer="json", validation=False):
    ticket: str
    type: str
    time: int
    customer: str
    priority: str


def agent(plan: dict[str, Any]) -> None:
    """Run the agent until stdin is closed."""
    app = faust.App(
        plan["app_id"], broker=f"kafka://{plan['bootstrap']}", topic_partitions=PARTITIONS, store="memory://",
        datadir=plan["folder"], web_enabled=False, topic_disable_leader=True, consumer_auto_offset_reset="earliest",
        stream_wait_empty=False, stream_buffer_maxsize=16_384, broker_max_poll_records=5_000,
        broker_commit_interval=1.0, producer_acks=-1, producer_linger=0.02, producer_max_batch_size=1 << 17,
    )  # fmt: skip
    source = app.topic(plan["source"], key_type=bytes, key_serializer="raw", value_type=Event)
    late = app.topic(plan["late"], key_serializer="raw", value_serializer="json")
    opened = app.Table("opened", partitions=PARTITIONS)
    panes = (
        app.Table("panes", default=lambda: [0, 0, 0], partitions=PARTITIONS)
        .tumbling(WINDOW_S, expires=KEPT_S)
        .relative_to(lambda event: event.value.time / 1000)
    )
    targets = plan["targets"]

    @app.agent(source)
    async def follow(stream: Any) -> None:
        async for received in stream.events():
            event = received.value
            if event.type == "opened":
                opened[event.ticket] = event.time
                continue
            opened_ms = opened.pop(event.ticket, None)
            if opened_ms is None:
                continue
            took_ms = event.time - opened_ms
            key = f"{event.customer}/{received.message.partition}"
            count, sum_ms, max_ms = panes[key].value()
            panes[key] = [count + 1, sum_ms + took_ms, max(max_ms, took_ms)]
            if took_ms >= targets[event.priority]:
                value = {"ticket": event.ticket, "customer": event.customer, "took": took_ms, "at": event.time}
                await late.send(key=event.ticket.encode(), value=value)

    def leave() -> None:
        sys.stdin.buffer.read()
        os._exit(0)  # all is committed: nothing is lost, and an orderly stop takes seconds

    threading.Thread(target=leave, daemon=True).start()
    sys.argv = ["stock", "worker", "--without-web", "-l", "error"]
    app.main()


if __name__ == "__main__":
    agent(json.loads(sys.argv[1]))
