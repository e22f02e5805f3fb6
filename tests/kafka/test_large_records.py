"""Records of many megabytes on a topic that allows them: only a real broker refuses and cuts as Kafka does."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid

from click.testing import CliRunner

from monitor.bootstrap import Monitor
from monitor.cli.root import root
from monitor.config.settings.settings import Settings, TopicSettings
from monitor.config.settings.web import WebSettings
from monitor.core.facts.events import Event, Fact
from monitor.installation import topic_plan
from monitor.read_model.topics import Outgoing, read_all, send_all
from monitor.stream.kafka.topics import TopicSpec, create_topics
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.events import encode_event
from tests.stream.running import until


async def test_a_value_of_five_megabytes_becomes_a_dead_letter_whole_and_the_partition_goes_on(
    kafka: str,
) -> None:
    # given an operator who allows events of 16 MB, and some of 5 and 9 MB between good ones
    mark = uuid.uuid4().hex[:8]
    names = ("tickets", "calls", "outages", "leads", "agreements", "partials", "alerts", "status", "statements")
    topics = {
        name: f"{mark}-{name}" for name in (*names, "reports", "deliveries", "responses", "markers", "dead_letters")
    }
    settings = Settings(
        app_id=mark, bootstrap=kafka, topics=TopicSettings(partitions=1, **topics), web=WebSettings(port=0)
    )
    tickets = settings.topics.tickets
    await create_topics(kafka, [TopicSpec(name=tickets, partitions=1, config={"max.message.bytes": str(16 << 20)})])
    await create_topics(kafka, topic_plan(settings))
    five, nine = b"{" + b"5" * 5_000_000, b"{" + b"9" * 9_000_000
    records = []
    for number, big in enumerate([five, five, nine, five]):
        event = Event("ticket", f"T-{number}", Fact(wall_ms(), 0, f"e-{number}", "opened", {}))
        records += [Outgoing(tickets, *encode_event(event)), Outgoing(tickets, b"big", big)]
    await send_all(settings, [*records, records[0]])

    # when a worker reads them
    monitor = Monitor(settings)
    running = asyncio.ensure_future(monitor.run())
    try:
        await until(lambda: running.done() or monitor.tally.repeats[tickets] == 1, timeout_s=60)
    finally:
        monitor.app.request_stop()
        await running

    # then they are dead letters, and what a letter can hold is there to be looked at
    assert monitor.tally.dead_letters == {(tickets, "too_large"): 4}
    letters = sorted(await read_all(settings, settings.topics.dead_letters), key=lambda one: one.offset)
    assert [len(one.value) for one in letters] == [len(five), len(five), settings.max_dead_letter_bytes, len(five)]
    environment = {
        "SLA_MONITOR_BOOTSTRAP": kafka,
        "SLA_MONITOR_APP_ID": mark,
        **{f"SLA_MONITOR_TOPICS_{name.upper()}": topic for name, topic in topics.items()},
    }

    def show(offset: int) -> dict:
        found = CliRunner().invoke(
            root, ["dead-letters", "show", f"{tickets}/0/{offset}", "--json"], env=environment, catch_exceptions=False
        )
        assert found.exit_code == 0, found.output
        return json.loads(found.stdout)

    whole, cut = await asyncio.to_thread(show, 1), await asyncio.to_thread(show, 5)
    assert base64.b64decode(whole["value_base64"]) == five
    assert (whole["truncated"], cut["truncated"]) == ([], ["value"])
