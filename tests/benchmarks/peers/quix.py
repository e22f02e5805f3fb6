"""Quix Streams, exactly once: a stateful step by ticket, then tumbling windows by customer.

Fair to it: librdkafka's queues are large, it commits once a second (default: every five), and the grace of the windows
is so long that nothing of a partition that lags behind is late. Like the DSL of Kafka Streams it moves answers by
customer through a topic, so panes are whole there. Progress is what its group has committed. Its stores' changelogs are
in a form of its own: panes are compared as the windows emitted them, each with its newest content.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from quixstreams import Application
from quixstreams.dataframe.windows import Count, Max, Sum

GRACE_MS: Final = 72 * 3_600_000
MINUTE_MS: Final = 60_000


def application(plan: dict[str, Any]) -> None:
    """Run until all answers are in windows and committed; print the panes."""
    app = Application(
        broker_address=plan["bootstrap"], consumer_group=plan["app_id"], auto_offset_reset="earliest",
        processing_guarantee="exactly-once", commit_interval=1.0, state_dir=str(Path(plan["folder"], "state")),
        loglevel="WARNING", consumer_extra_config={"queued.min.messages": 100_000},
        producer_extra_config={"linger.ms": 20, "batch.size": 1 << 18, "queue.buffering.max.messages": 1_000_000},
    )  # fmt: skip
    source = app.topic(
        plan["source"], key_deserializer="str", value_deserializer="json",
        timestamp_extractor=lambda value, *_: value["time"],
    )  # fmt: skip
    late_answers = app.topic(plan["late"], key_serializer="str", value_serializer="json")
    targets = plan["targets"]
    panes: dict[tuple[str, int], tuple[int, int, int]] = {}
    seen = {"events": 0, "answers": 0, "windowed": 0, "late": 0}

    def respond(event: dict[str, Any], state: Any) -> dict[str, Any] | None:
        seen["events"] += 1
        answer = None
        if event["type"] == "opened":
            state.set("opened", event["time"])
        elif (opened_ms := state.get("opened")) is not None:
            state.delete("opened")
            seen["answers"] += 1
            answer = {
                "ticket": event["ticket"], "customer": event["customer"], "priority": event["priority"],
                "at": event["time"], "took": event["time"] - opened_ms, "target": targets[event["priority"]],
            }  # fmt: skip
        stop_when_done()
        return answer

    def keep(pane: dict[str, int], customer: str, *_: object) -> None:
        seen["windowed"] += 1
        panes[customer, pane["start"]] = pane["count"], pane["sum"], pane["max"]
        stop_when_done()

    def drop(*_: object) -> bool:
        seen["late"] += 1
        return False  # it is counted, not logged

    def stop_when_done() -> None:
        if seen["events"] >= plan["events"] and seen["windowed"] + seen["late"] >= seen["answers"]:
            app.stop()  # it commits what it has done

    answers = app.dataframe(source).apply(respond, stateful=True).filter(lambda answer: answer is not None)
    answers.filter(lambda answer: answer["took"] >= answer["target"]).to_topic(late_answers)
    windows = answers.group_by("customer").tumbling_window(MINUTE_MS, grace_ms=GRACE_MS, on_late=drop)
    windows.agg(count=Count(), sum=Sum("took"), max=Max("took")).current().update(keep, metadata=True)
    app.run()
    print(json.dumps({"late": seen["late"], "panes": by_customer(panes)}))


def by_customer(panes: dict[tuple[str, int], tuple[int, int, int]]) -> dict[str, list[int]]:
    """Return count, sum and maximum of each customer's panes."""
    totals: dict[str, list[int]] = {}
    for (customer, _), (count, sum_ms, max_ms) in panes.items():
        one = totals.setdefault(customer, [0, 0, 0])
        totals[customer] = [one[0] + count, one[1] + sum_ms, max(one[2], max_ms)]
    return totals


if __name__ == "__main__":
    application(json.loads(sys.argv[1]))
