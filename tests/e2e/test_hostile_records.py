"""Records on which the monitor itself failed once: each is buried, and neither the worker nor a neighbour suffers."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from monitor.config.settings.sources import SourceSettings
from monitor.core.series.series import PaneKey, SeriesKey, empty_pane
from monitor.read_model.topics import Outgoing
from monitor.stream.agents import ingest
from tests.e2e.installation import Installation
from tests.e2e.test_bad_records import AGREEMENT, GOOD
from tests.partials import encode_partial
from tests.stream.kafka.test_fetched import BOMBS, batch
from tests.stream.running import until
from tests.wire.foreign_bodies import cdr, jira_issue_event

MAPPINGS = Path(__file__).parents[2] / "deploy" / "mappings"
SOURCES = [
    SourceSettings(topic="jira-webhooks", mapping=str(MAPPINGS / "jira.yaml"), partitions=1),
    SourceSettings(topic="cdr", mapping=str(MAPPINGS / "pbx-cdr.yaml"), partitions=1),
]
NESTED = b'{"source":' + b"[" * 1200 + b"]" * 1200 + b"}"


@pytest.fixture(name="installation")
async def _installation(tmp_path: Path):
    folder = tmp_path / "agreements"
    folder.mkdir()
    async with Installation.started(START_MS, folder, SOURCES) as installation:
        yield installation


START_MS = 1_767_603_600_000  # 2026-01-05 09:00


def ticket(name: str) -> Outgoing:
    return Outgoing("tickets", name.encode(), orjson.dumps(GOOD | {"ticket": name}), partition=0)


async def letters(installation: Installation) -> list[tuple[str, str]]:
    return sorted((one["id"], one["reason"]) for one in await installation.json("dead-letters", "list"))


async def test_a_nested_body_behind_the_header_of_a_marker_is_a_dead_letter(installation: Installation):
    await installation.publish(AGREEMENT)
    hostile = Outgoing("tickets", b"M", NESTED, (("sla-marker", b"1"),), partition=0)
    await installation.send(ticket("A"), hostile, ticket("B"))

    async with installation.worker() as worker:
        await installation.turn("2026-01-05 09:01", worker)

        assert [one for one, _ in await letters(installation)] == ["tickets/0/1"]
        assert (await worker.metrics()).value("sla_clocks_open", measure="resolution") == 2


async def test_what_a_mapping_cannot_make_an_event_of_is_a_dead_letter(installation: Installation):
    await installation.publish(AGREEMENT)
    far = orjson.dumps(cdr() | {"billsec": 100_000_000_000_000_000})
    whole = orjson.dumps(jira_issue_event("issue_created", START_MS))
    nested = whole.replace(b'"High"', b"[" * 1010 + b"]" * 1010)
    assert nested != whole
    await installation.send(
        Outgoing("cdr", b"1", far),
        Outgoing("cdr", b"2", orjson.dumps(cdr())),
        Outgoing("jira-webhooks", b"3", nested),
        Outgoing("jira-webhooks", b"4", whole),
    )

    async with installation.worker() as worker:
        await installation.turn("2026-01-05 09:01", worker)

        assert await letters(installation) == [("cdr/0/0", "bad_number"), ("jira-webhooks/0/0", "wrong_type")]
        metrics = await worker.metrics()
        assert metrics.value("sla_events_mapped_total", topic="cdr") > 0
        assert metrics.value("sla_events_mapped_total", topic="jira-webhooks") > 0


async def test_foreign_records_on_the_topics_of_the_monitor_are_dead_letters(installation: Installation):
    await installation.publish(AGREEMENT)
    pane = PaneKey(SeriesKey("desk", "no-such-measure", ("a", "b", "c")), "day", 0)
    await installation.send(
        Outgoing("partials", b"hello", b"hello", partition=0),
        Outgoing("partials", None, b"", partition=0),
        Outgoing("partials", *encode_partial("tickets/0", pane, empty_pane()), partition=0),
        Outgoing("alerts", b"hello", b"hello", partition=0),
        Outgoing("agreements", b"hello", b"hello", partition=0),
        Outgoing("agreements", b"desk/2", NESTED, partition=0),
        Outgoing("responses", b"hello", NESTED, partition=0),
        ticket("A"),
    )

    async with installation.worker() as worker:
        await installation.turn("2026-01-05 16:01", worker)

        assert [one for one, reason in await letters(installation)] == ["alerts/0/0", "partials/0/0", "partials/0/1"]
        assert [one["state"] for one in await installation.told()] == ["breached"]


async def test_an_agreement_on_which_the_program_fails_is_refused_and_the_last_good_one_stays(
    installation: Installation,
):
    await installation.publish(AGREEMENT)
    await installation.send(ticket("A"))
    async with installation.worker() as worker:
        await worker.caught_up()

        # a version with a list where entries should be, as anybody may write to the topic
        document = orjson.loads(orjson.dumps({"agreement": "desk", "version": 2, "clocks": ["resolution"]}))
        await installation.send(Outgoing("agreements", b"desk/2", orjson.dumps(document), partition=0))
        await until(lambda: worker.monitor.books.refused == 1)
        await installation.turn("2026-01-05 16:01", worker)

        assert [one["state"] for one in await installation.told()] == ["breached"]


class Fatal(BaseException):
    """As the end of the process."""


async def test_a_record_that_an_operator_skips_is_not_worked_on_and_is_seen_afterwards(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    # given a record on which the whole worker ends, whatever is contained
    await installation.publish(AGREEMENT)
    await installation.send(ticket("A"), ticket("FATAL"), ticket("B"))
    decode = ingest.decode

    def fatal(subject, key, *rest, **options):
        if key == b"FATAL":
            raise Fatal
        return decode(subject, key, *rest, **options)

    monkeypatch.setattr(ingest, "decode", fatal)
    with pytest.raises(Fatal):
        async with installation.worker() as worker:
            await until(lambda: worker.monitor.app.failure is not None)

    # when an operator has it skipped
    skipped = await installation.run("dead-letters", "skip", "tickets/0/1", "--reason", "INC-7", "--by", "dana")
    assert "will be skipped" in skipped.stdout

    # then the next worker goes on, and tells it
    async with installation.worker() as worker:
        await installation.turn("2026-01-05 09:01", worker)
        (letter,) = await installation.json("dead-letters", "list", "--reason", "skipped")
        assert (letter["id"], letter["detail"]) == ("tickets/0/1", "INC-7 (dana)")
        assert (await worker.metrics()).value("sla_clocks_open", measure="resolution") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tickets-0-1", "--reason", "x"), "not of the form TOPIC/PARTITION/OFFSET"),
        (("tickets/0/-1", "--reason", "x"), "not of the form TOPIC/PARTITION/OFFSET"),
        (("statements/0/1", "--reason", "x"), "the workers do not consume 'statements'"),
        (("tickets/0/1",), "Say why: --reason"),
    ],
)
async def test_what_cannot_be_skipped_is_said(installation: Installation, arguments: tuple[str, ...], said: str):
    result = await installation.run("dead-letters", "skip", *arguments)

    assert result.exit_code == 2
    assert said in result.stderr


async def test_a_skip_can_be_taken_back(installation: Installation):
    await installation.publish(AGREEMENT)
    await installation.send(ticket("A"))
    await installation.run("dead-letters", "skip", "tickets/0/0", "--reason", "a mistake")
    await installation.run("dead-letters", "skip", "tickets/0/0", "--withdraw")

    async with installation.worker() as worker:
        await installation.turn("2026-01-05 09:01", worker)

        assert await letters(installation) == []


async def test_batches_that_aiokafka_cannot_read_stop_no_worker(installation: Installation):
    # given good tickets in compressed batches, a header name that is no UTF-8, and a bomb, as producers may write them
    await installation.publish(AGREEMENT)
    sent = [
        batch(value("A"), codec="lz4", key=b"A"),
        batch(value("B"), codec="zstd", key=b"B", name=b"\xff\xfe"),
        batch(b"never", codec="zstd", payload=BOMBS["zstd"]),
        batch(value("C"), codec="snappy", key=b"C"),
    ]
    async with AIOKafkaProducer(bootstrap_servers=installation.settings.bootstrap, acks=1) as producer:
        for one in sent:
            builder = producer.create_batch()
            builder.append(key=b"k", value=b"v", timestamp=None)
            builder.close()
            builder._build()
            builder._buffer = bytearray(one)
            await (await producer.send_batch(builder, "tickets", partition=0))

    async with installation.worker() as worker:
        await installation.turn("2026-01-05 09:01", worker)

        assert await letters(installation) == [("tickets/0/2", "unreadable_batch")]
        assert (await worker.metrics()).value("sla_clocks_open", measure="resolution") == 3


def value(name: str) -> bytes:
    return orjson.dumps(GOOD | {"ticket": name})
