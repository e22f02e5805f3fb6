"""``dead-letters``: find the records that could not be used, look at them, send them again."""

from __future__ import annotations

import asyncio
import base64

import pytest

from monitor.cli.commands.dead_letters import readable
from monitor.core.series.series import PaneKey, SeriesKey, empty_pane
from monitor.read_model.buried_panes import find_buried, send_buried
from monitor.read_model.topics import Outgoing
from monitor.stream.partitions.sending import partition_of
from monitor.wire.deadletters import DeadLetter, encode_dead_letter
from tests.cli.conftest import Kafka, Run, lines
from tests.partials import encode_partial

GOOD = b'{"id":"e1","type":"opened","time":"2026-01-05T09:00:00Z","ticket":"T-1"}'


def bury(
    kafka: Kafka, offset: int, reason: str, value: bytes | None = GOOD, *, topic: str = "tickets", key: bytes = b"T-1"
) -> None:
    headers = [("trace", b"\xff\x00"), ("empty", b"")]
    letter_key, letter, told = encode_dead_letter(topic, 1, offset, reason, "why", key, value, headers, max_bytes=200)
    kafka.send(Outgoing("dead-letters", letter_key, letter, told))


def test_they_are_listed_and_filtered(run: Run, kafka: Kafka):
    bury(kafka, 1, "bad_json", b"{")
    bury(kafka, 2, "key_mismatch")
    bury(kafka, 3, "bad_json", b"[", topic="calls")
    found = lines(run("dead-letters", "list", "--json"))
    assert [(one["id"], one["reason"], one["bytes"]) for one in found] == [
        ("tickets/1/1", "bad_json", 1), ("tickets/1/2", "key_mismatch", len(GOOD)), ("calls/1/3", "bad_json", 1),
    ]  # fmt: skip
    (one,) = lines(run("dead-letters", "list", "--reason", "bad_json", "--topic", "tickets", "--json"))
    assert one["id"] == "tickets/1/1"
    (last,) = lines(run("dead-letters", "list", "--last", "1", "--json"))
    assert last["id"] == "calls/1/3"
    assert "tickets/1/2" in run("dead-letters", "list").stdout


@pytest.mark.usefixtures("kafka")
def test_none_is_an_answer(run: Run):
    assert run("dead-letters", "list").stdout == "No dead letters.\n"
    assert run("dead-letters", "show", "tickets/0/0").exit_code == 1


def test_one_is_shown_with_its_original_bytes(run: Run, kafka: Kafka):
    bury(kafka, 1, "bad_utf8", b"\xff\xfe\x1b[31m")
    bury(kafka, 2, "key_mismatch", '{"name": "Zoë"}\n'.encode())
    bury(kafka, 3, "tombstone", None)
    shown = run("dead-letters", "show", "tickets/1/1").stdout
    assert "ff fe 1b 5b" in shown
    assert "\x1b" not in shown  # nothing of it reaches the terminal
    assert '{"name": "Zoë"}' in run("dead-letters", "show", "tickets/1/2").stdout
    assert "none (a tombstone)" in run("dead-letters", "show", "tickets/1/3").stdout
    (one,) = lines(run("dead-letters", "show", "tickets/1/1", "--json"))
    assert base64.b64decode(one["value_base64"]) == b"\xff\xfe\x1b[31m"
    assert one["headers"] == {"trace": "\\xff\\x00", "empty": ""}


def test_they_are_sent_again_as_they_came_to_where_they_came_from(run: Run, kafka: Kafka):
    bury(kafka, 7, "unknown_type")
    bury(kafka, 8, "tombstone", None)
    bury(kafka, 9, "bad_json", b"{")
    result = run("dead-letters", "replay", "--reason", "unknown_type", "--reason", "tombstone", answer="y\n")
    assert result.exit_code == 0
    assert "2 record(s) sent again" in result.stdout
    sent = kafka.read("tickets")
    assert [(one.partition, one.key, one.value) for one in sent] == [(1, b"T-1", GOOD), (1, b"T-1", None)]
    assert sent[0].headers == (("trace", b"\xff\x00"), ("empty", b""))


def test_one_may_be_sent_by_its_id_and_no_is_an_answer(run: Run, kafka: Kafka):
    bury(kafka, 7, "unknown_type")
    bury(kafka, 8, "unknown_type")
    assert run("dead-letters", "replay", "tickets/1/8", answer="n\n").exit_code == 1
    assert kafka.read("tickets") == []
    (one,) = lines(run("dead-letters", "replay", "tickets/1/8", "--yes", "--json"))
    assert one == {"id": "tickets/1/8", "sent": True}
    assert len(kafka.read("tickets")) == 1


def test_a_wrong_key_can_be_set_right_and_then_the_key_decides_the_partition(run: Run, kafka: Kafka):
    bury(kafka, 7, "key_mismatch", key=b"T-2")
    bury(kafka, 8, "key_mismatch", b'{"ticket":"T-1"}', key=b"T-3")
    bury(kafka, 9, "unknown_type", key=b"T-4")
    result = run("dead-letters", "replay", "--topic", "tickets", "--rekey", "--yes")
    assert "tickets/1/8 keeps its key: missing_field: type" in result.stderr
    assert "3 record(s) sent again" in result.stdout
    sent = {one.key: one.partition for one in kafka.read("tickets")}
    assert sent == {b"T-1": partition_of(b"T-1", 2), b"T-3": 1, b"T-4": 1}


def test_what_was_cut_or_came_from_no_event_topic_is_not_sent(run: Run, kafka: Kafka):
    bury(kafka, 1, "too_large", b"x" * 1000)
    bury(kafka, 2, "bad_json", topic="agreements")
    bury(kafka, 3, "bad_json")
    result = run("dead-letters", "replay", "--reason", "too_large", "--reason", "bad_json", "--yes")
    assert result.exit_code == 1
    assert "tickets/1/1 cannot be sent again: its value was cut" in result.stderr
    assert "agreements is no topic of events" in result.stderr
    assert "1 record(s) sent again" in result.stdout
    assert kafka.read("agreements") == []


PANE = encode_partial("tickets/0", PaneKey(SeriesKey("desk", "resolution", ("P1",)), "hour", 0), empty_pane())
OTHER = encode_partial("tickets/1", PaneKey(SeriesKey("desk", "resolution", ("P1",)), "hour", 0), empty_pane())
LETTER = DeadLetter("partials", 1, 0, "newer_layout", "", PANE[0], b"whatever the letter says")


def panes(kafka: Kafka, *records: tuple[bytes, bytes | None]) -> None:
    kafka.send(*[Outgoing("partials", *one, [("trace", b"\xff")], partition=1) for one in records])


def test_a_buried_pane_is_sent_again_as_it_stands_on_its_topic(run: Run, kafka: Kafka):
    panes(kafka, PANE, OTHER)
    bury(kafka, 0, "newer_layout", b"whatever the letter says", topic="partials", key=PANE[0])

    (one,) = lines(run("dead-letters", "replay", "--reason", "newer_layout", "--yes", "--json"))

    assert one == {"id": "partials/1/0", "sent": True}
    *_, sent = kafka.read("partials")
    assert (sent.partition, sent.offset, sent.key, sent.value, sent.headers) == (1, 2, *PANE, (("trace", b"\xff"),))


def test_a_buried_pane_is_left_out_once_its_key_was_written_again(run: Run, kafka: Kafka):
    panes(kafka, PANE, OTHER, (PANE[0], None))
    bury(kafka, 0, "newer_layout", topic="partials", key=PANE[0])
    bury(kafka, 1, "newer_layout", topic="partials", key=OTHER[0])
    before = len(kafka.read("partials"))

    result = run("dead-letters", "replay", "--topic", "partials", "--yes")

    assert result.exit_code == 0
    assert "partials/1/0 is left out: its key was written again since, at offset 2\n" in result.stderr
    assert "1 record(s) sent again" in result.stdout
    assert [one.key for one in kafka.read("partials")[before:]] == [OTHER[0]]
    # so whoever says it twice sends it once
    assert lines(run("dead-letters", "replay", "partials/1/1", "--yes", "--json")) == [
        {"id": "partials/1/1", "sent": False}
    ]


@pytest.mark.parametrize(("offset", "key"), [(0, OTHER[0]), (1, PANE[0])])
def test_a_buried_pane_that_stands_there_no_more_was_replaced_too(run: Run, kafka: Kafka, offset: int, key: bytes):
    panes(kafka, PANE)
    bury(kafka, offset, "newer_layout", topic="partials", key=key)

    result = run("dead-letters", "replay", "--topic", "partials", "--yes")

    assert f"partials/1/{offset} is left out: stands on its topic no more" in result.stderr
    assert len(kafka.read("partials")) == 1


def test_a_pane_that_this_program_cannot_read_either_is_not_sent(run: Run, kafka: Kafka):
    panes(kafka, (PANE[0], b"\x63" + (PANE[1] or b"")[1:]))
    bury(kafka, 0, "newer_layout", topic="partials", key=PANE[0])
    bury(kafka, 1, "foreign_record", topic="partials", key=b"hello")

    result = run("dead-letters", "replay", "--topic", "partials", "--yes")

    assert result.exit_code == 1
    assert "partials/1/0 cannot be sent again: has version 99, this program reads up to 2: update all" in result.stderr
    assert "partials/1/1 cannot be sent again: it is no record of the monitor's: foreign_record" in result.stderr
    assert len(kafka.read("partials")) == 1


def test_what_comes_while_the_question_is_answered_is_seen_too(kafka: Kafka):
    panes(kafka, PANE)
    found = asyncio.run(find_buried(kafka.settings, [LETTER]))
    assert [one.offset for one in found.newest] == [0]
    panes(kafka, PANE)

    replaced = asyncio.run(send_buried(kafka.settings, found))

    assert replaced == {("partials", 1, 0): "its key was written again since, at offset 1"}


@pytest.mark.usefixtures("kafka")
def test_an_unknown_id_is_told(run: Run):
    result = run("dead-letters", "replay", "tickets/1/8", "--yes")
    assert result.exit_code == 1
    assert "no dead letter tickets/1/8" in result.stderr


def test_a_record_that_is_no_dead_letter_hides_none(run: Run, kafka: Kafka):
    kafka.send(Outgoing("dead-letters", b"x", b"y"))
    bury(kafka, 1, "bad_json")
    result = run("dead-letters", "list", "--json")
    assert [one["id"] for one in lines(result)] == ["tickets/1/1"]
    assert "is no dead letter of ours" in result.stderr


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b'{"a":1}', ['{"a":1}']),
        (b"a\n\tb", ["a", "\tb"]),
        (b"", [""]),
        (b"\x00" * 17, ["00000000  " + "00 " * 16 + " " + "." * 16, "00000010  00 " + "   " * 15 + " ."]),
    ],
)
def test_bytes_are_text_where_they_can_be_and_hexadecimal_where_not(value: bytes, shown: list[str]):
    assert list(readable(value)) == shown
