"""Records that are no events, in the midst of good ones: each becomes a dead letter, and the partition goes on."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import orjson
import pytest

from monitor.bootstrap import outlets_of
from monitor.config.settings.settings import load_settings
from monitor.read_model.topics import Outgoing
from tests.e2e.installation import Installation, at, desk_agreement

AGREEMENT = desk_agreement("""\
clocks:
  - {id: resolution, metric: resolution, targets: {"*": 8h}, windows: [day]}
""")
GOOD = {"id": "e1", "type": "opened", "time": "2026-01-05T08:00:00Z", "ticket": "T"}
CLOUD = {
    "specversion": "1.0", "id": "e1", "source": "/desk", "type": "com.example.ticket.opened", "subject": "T",
    "time": "2026-01-05T08:00:00Z",
}  # fmt: skip


class Bad(NamedTuple):
    """A record and the reason for which it is refused."""

    reason: str
    value: bytes | None
    key: bytes | None = b"T"
    headers: tuple[tuple[str, bytes], ...] = ()


def plain(**changes: Any) -> bytes:
    return orjson.dumps({name: value for name, value in (GOOD | changes).items() if value is not ...})


def cloud(**changes: Any) -> bytes:
    return orjson.dumps({name: value for name, value in (CLOUD | changes).items() if value is not ...})


def binary(**changes: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((f"ce_{name}", str(value).encode()) for name, value in (CLOUD | changes).items())


KINDS = {
    "bytes that are no UTF-8": Bad("bad_utf8", b'{"id":"\xff\xfe"}'),
    "text that is no JSON": Bad("bad_json", b"{'id': 1}"),
    "nothing at all": Bad("bad_json", b""),
    "a list": Bad("not_an_object", b"[1, 2]"),
    "a number": Bad("not_an_object", b"42"),
    "a tombstone": Bad("tombstone", None),
    "a type that no ticket has": Bad("unknown_type", plain(type="exploded")),
    "an event of another subject": Bad("wrong_subject", orjson.dumps({**GOOD, "call": "C", "ticket": None})),
    "no id": Bad("missing_field", plain(id=...)),
    "no time": Bad("missing_field", plain(time=...)),
    "no subject id": Bad("missing_field", plain(ticket=...)),
    "an id that is a number": Bad("wrong_type", plain(id=17)),
    "an empty id": Bad("bad_id", plain(id="")),
    "a flag that is a text": Bad("wrong_type", plain(public="no")),
    "a sequence below zero": Bad("out_of_range", plain(sequence=-1)),
    "a customer of 10 kB": Bad("too_long", plain(customer="x" * 10_000)),
    "a customer with a control character": Bad("control_character", plain(customer="a\x1fb")),
    "a time that is no time": Bad("bad_time", plain(time="yesterday")),
    "a time without a zone": Bad("time_without_zone", plain(time="2026-01-05T08:00:00")),
    "seconds where milliseconds belong": Bad("time_in_seconds", plain(time=at("2026-01-05 08:00") // 1000)),
    "the year 1900": Bad("absurd_time", plain(time="1900-01-01T00:00:00Z")),
    "the year 9999": Bad("absurd_time", plain(time="9999-12-31T23:59:59Z")),
    "a number beyond all numbers": Bad("bad_json", b'{"id":"e1","type":"opened","time":1e999,"ticket":"T"}'),
    "nested a hundred thousand deep": Bad("bad_json", b'{"a":' * 100_000),
    "a key that is another ticket": Bad("key_mismatch", plain(), b"U"),
    "no key": Bad("key_mismatch", plain(), None),
    "more than a megabyte": Bad("too_large", plain(text="x" * 1_100_000)),
    "the far future": Bad("in_the_future", plain(time="2026-01-07T08:00:00Z")),
    "a CloudEvent of version 0.3": Bad("bad_specversion", cloud(specversion="0.3")),
    "a CloudEvent without a source": Bad("missing_field", cloud(source=...)),
    "a CloudEvent of a type of no ticket": Bad("unknown_type", cloud(type="com.example.ticket.exploded")),
    "a CloudEvent about a call": Bad("wrong_subject", cloud(type="com.example.call.queued")),
    "a CloudEvent with coded data": Bad("wrong_type", cloud(data_base64="e30=")),
    "a binary CloudEvent without a zone": Bad("time_without_zone", b"{}", b"T", binary(time="2026-01-05T08:00:00")),
    "a binary CloudEvent with a list": Bad("not_an_object", b"[]", b"T", binary()),
    "a binary CloudEvent of another ticket": Bad("key_mismatch", b"{}", b"T", binary(subject="U")),
}
"""Every way in which a record can be no event."""


def test_the_kinds_cover_every_reason_that_a_record_can_have():
    from monitor.wire.contract import REASONS  # noqa: PLC0415 - of this test only

    # what an earlier event of the ticket makes wrong, and what does not map, has stories of its own
    assert {one.reason for one in KINDS.values()} == REASONS.keys() | {"in_the_future"}


def test_how_far_in_the_future_an_event_may_be_is_a_setting():
    settings = load_settings(None, {"SLA_MONITOR_MAX_AHEAD": "2d"})
    assert outlets_of(settings).max_ahead_ms == 2 * 86_400_000


async def test_each_becomes_a_dead_letter_and_the_partition_goes_on(installation: Installation):
    # given good tickets before, between and after the bad records, all in one partition
    await installation.publish(AGREEMENT)
    records = []
    for number, bad in enumerate(KINDS.values()):
        good = GOOD | {"ticket": f"G-{number}", "customer": f'"{number}"/🙂'}
        records.append(Outgoing("tickets", good["ticket"].encode(), orjson.dumps(good), partition=0))
        records.append(Outgoing("tickets", bad.key, bad.value, bad.headers, partition=0))
    # and an id that is used again with another body
    records.append(Outgoing("tickets", b"G-0", plain(ticket="G-0", type="resolved"), partition=0))
    records.append(Outgoing("tickets", b"G-0", plain(ticket="G-0", id="e2", type="resolved"), partition=0))
    await installation.send(*records)

    # when a worker reads them
    async with installation.worker() as worker:
        await installation.turn("2026-01-05 09:01", worker)
        metrics = await worker.metrics()
        letters = await installation.json("dead-letters", "list", "--last", "1000")

        # then each bad one is a dead letter, with its place and its reason
        expected = [(2 * number + 1, bad.reason) for number, bad in enumerate(KINDS.values())]
        expected.append((2 * len(KINDS), "id_reused"))
        assert sorted((one["offset"], one["reason"]) for one in letters) == expected
        assert {(one["topic"], one["partition"]) for one in letters} == {("tickets", 0)}
        # and with its original bytes
        for number, (kind, bad) in enumerate(KINDS.items()):
            (shown,) = await installation.json("dead-letters", "show", f"tickets/0/{2 * number + 1}")
            value = None if shown["value_base64"] is None else base64.b64decode(shown["value_base64"])
            assert value == bad.value, kind
            assert (shown["key"] or "") == (bad.key or b"").decode(), kind
            assert tuple((name, text.encode()) for name, text in shown["headers"].items()) == bad.headers, kind
            assert shown["truncated"] == []
        # and is counted by its reason
        for reason in {reason for _, reason in expected}:
            count = sum(one == reason for _, one in expected)
            assert metrics.value("sla_dead_letters_total", topic="tickets", reason=reason) == count
        # and the good ones have all been timed
        assert metrics.value("sla_clocks_open", measure="resolution") == len(KINDS) - 1
        assert metrics.value("sla_clock_compliance_met", measure="resolution", window="day") == 1
        assert metrics.value("sla_events_total", topic="tickets", partition="0") == len(records)
        assert metrics.value("sla_lag_records", topic="tickets", partition="0") == 0


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ((("content-type", b"application/cloudevents+json"),), cloud(data={"priority": "P1"})),
        (binary(), b'{"priority": "P1"}'),
        ((), plain(priority="P1")),
    ],
    ids=["structured", "binary", "plain"],
)
async def test_an_event_means_the_same_in_each_of_its_forms(
    installation: Installation, headers: tuple[tuple[str, bytes], ...], value: bytes
):
    await installation.publish(AGREEMENT.replace('"*": 8h', "P1: 30m"))
    await installation.send(Outgoing("tickets", b"T", value, headers))
    async with installation.worker() as worker:
        await worker.caught_up()
        assert [(one["what"], one["state"], one["at"]) for one in await installation.told()] == [
            ("T", "breached", "2026-01-05T08:30:00.001Z")
        ]
        assert await installation.json("dead-letters", "list") == []


async def test_what_was_too_early_is_taken_when_it_is_sent_again_in_time(installation: Installation):
    # given a ticket whose producer's clock runs two days ahead of ours
    await installation.publish(AGREEMENT)
    await installation.send(Outgoing("tickets", b"T", plain(time="2026-01-07T08:00:00Z")))
    async with installation.worker() as worker:
        await installation.turn("2026-01-05 09:01", worker)
        (letter,) = await installation.json("dead-letters", "list")
        assert letter["reason"] == "in_the_future"
        # when it is replayed once the time has come
        await installation.turn("2026-01-07 09:00", worker)
        replayed = await installation.run("dead-letters", "replay", letter["id"], "--yes")
        assert replayed.exit_code == 0
        await installation.turn("2026-01-07 16:01", worker)

        # then it is timed like any other
        assert [(one["what"], one["state"], one["at"]) for one in await installation.told()] == [
            ("T", "breached", "2026-01-07T16:00:00.001Z")
        ]


async def test_what_had_the_wrong_key_is_timed_once_it_was_sent_again_with_the_right_one(installation: Installation):
    await installation.publish(AGREEMENT)
    await installation.send(Outgoing("tickets", b"U", plain()), Outgoing("tickets", None, plain(id="e2", ticket="V")))
    async with installation.worker() as worker:
        await worker.caught_up()
        assert len(await installation.json("dead-letters", "list", "--reason", "key_mismatch")) == 2
        replayed = await installation.run("dead-letters", "replay", "--reason", "key_mismatch", "--rekey", "--yes")
        assert "2 records sent again" in replayed.stdout
        await installation.turn("2026-01-05 16:01", worker)
        assert sorted((one["what"], one["state"]) for one in await installation.told()) == [
            ("T", "breached"), ("V", "breached"),
        ]  # fmt: skip
        assert len(await installation.json("dead-letters", "list")) == 2
