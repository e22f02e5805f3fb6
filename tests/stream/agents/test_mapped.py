"""Foreign topics: what is made of their records, and how deadlines wait while one of them catches up."""

from __future__ import annotations

import json
import textwrap
import time
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import orjson
import pytest
from aiokafka.structs import ConsumerRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.mappings.mapping import load_mapping, parse_mapping
from monitor.config.reading.yaml_file import parse_documents
from monitor.core.agreements.book import Book
from monitor.core.pieces import at_once
from monitor.core.subjects.rows import subject_key
from monitor.errors import DecodeError
from monitor.stream.agents import horizon
from monitor.stream.agents.books import Books
from monitor.stream.agents.feeders import LONGEST_S, SILENCE_S, Feeders, heard_key
from monitor.stream.agents.ingest import Ingest
from monitor.stream.agents.mapped import RECORDS_AT_ONCE, Mapped
from monitor.stream.agents.markers import Markers
from monitor.stream.agents.tally import Outlets, Tally
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.stream.partitions.sending import partition_of
from monitor.wire.announcements import decode_alert
from monitor.wire.deadletters import DEAD_LETTER_REASONS, decode_dead_letter
from monitor.wire.events import decode
from monitor.wire.markers import (
    ClockMarker,
    SourceMarker,
    decode_source_marker,
    encode_clock_marker,
    encode_source_marker,
)
from monitor.wire.partials import Marker, decode_partial
from monitor.wire.rows import SOURCE_ROWS
from tests.core.stories import agreement, clock, ms
from tests.stream.fakes import FakeWriter
from tests.wire.foreign_bodies import (
    cdr,
    debezium,
    jira_change,
    jira_comment,
    jira_issue_event,
    jira_updated,
    jira_user,
    row,
    zendesk_comment,
)

PARTITIONS = 4
NOW = ms("Mon 12:00")
OUTLETS = Outlets(
    alerts="alerts", partials="partials", partials_partitions=1, dead_letters="dead", status="status",
    statements="statements", max_event_bytes=10_000,
)  # fmt: skip
MAPPING = """\
mapping: hooks
subject: ticket
subject_id: "{number}"
time: {formats: [epoch_ms]}
where: {kind: {not: [ping]}}
reject: [{reason: before_it_was, when: {at: {before: born}}}]
attributes: {priority: {column: urgency, values: {high: P1}}, category: text}
events:
  - {type: opened, at: at, when: {kind: new}}
  - {type: resolved, at: at, when: {kind: [solved, done]}, id: "{delivery}:{type}"}
  - {type: closed, at: at, when: {kind: done}, id: "{delivery}:{type}"}
"""


def mapping():
    mistakes = []
    found = parse_mapping(parse_documents(textwrap.dedent(MAPPING).encode(), "hooks.yaml", mistakes)[0], mistakes)
    assert found is not None, mistakes
    return found


@cache
def mapper_of(name):
    return load_mapping(Path(__file__).parents[3] / "deploy" / "mappings" / f"{name}.yaml", live=True)


def body(**changes):
    return orjson.dumps({"number": "T-1", "kind": "new", "at": ms("Mon 09:00"), "delivery": "d1"} | changes)


def records(topic, *values):
    return [
        ConsumerRecord(topic, 1, offset, 0, 0, b"k", value, None, 1, len(value or b""), (("h", b"x"),))
        for offset, value in enumerate(values)
    ]


class Foreign:
    """One partition of a foreign topic."""

    def __init__(self, of=None, outlets=OUTLETS):
        self.writer = FakeWriter(partitions=PARTITIONS)
        self.state = PartitionState(
            topic="hooks", partition=1, changelog="state", codec=SOURCE_ROWS, writer=self.writer
        )
        self.tally = Tally()
        self.mapping = of or mapping()
        self.outlets = outlets
        self.restart()

    def restart(self):
        self.processor = Mapped(
            self.state, mapping=self.mapping, topic="tickets", outlets=self.outlets, tally=self.tally,
            lateness_ms=60_000,
        )  # fmt: skip

    async def take(self, *values, caught_up=True):
        pieces = len(list(self.processor.batch(records("hooks", *values), Now(NOW, caught_up=caught_up))))
        await self.state.commit(len(values))
        return pieces

    def written(self, topic):
        """Return (partition, key, value, headers) of the records of a topic, oldest first in each partition."""
        return [
            (partition, *record)
            for (name, partition), found in self.writer.committed.items()
            if name == topic
            for record in found
        ]

    def events(self):
        return self.written("tickets")

    def markers(self):
        return [decode_source_marker(one[2]) for one in self.written("markers")]

    def letters(self):
        return [decode_dead_letter(value, headers) for _, _, value, headers in self.written("dead")]


async def test_a_record_makes_its_events_in_the_partition_of_their_subject():
    foreign = Foreign()
    await foreign.take(body(), body(kind="done", at=ms("Mon 10:00")), body(number="T-2"))

    for partition, key, value, _ in foreign.events():
        assert partition == partition_of(key, PARTITIONS)
        decode("ticket", key, value)
    told = [(decoded.subject_id, decoded.fact.type) for _, key, value, _ in foreign.events()
            for decoded in [decode("ticket", key, value)]]  # fmt: skip
    assert sorted(told) == [("T-1", "closed"), ("T-1", "opened"), ("T-1", "resolved"), ("T-2", "opened")]
    assert [kind for subject, kind in told if subject == "T-1"] == ["opened", "resolved", "closed"]
    assert foreign.tally.mapped == {"hooks": 4}
    assert foreign.tally.last_event_ms == {("hooks", 1): ms("Mon 10:00")}


async def test_events_and_position_are_one_transaction():
    foreign = Foreign()
    await foreign.take(body())

    (transaction,) = foreign.writer.transactions
    assert {topic for topic, _ in transaction} == {"tickets", "state", "markers"}
    assert transaction["state", 1][0] == (b"\x00position", b"1", [])


async def test_what_is_about_nothing_that_counts_makes_nothing_and_is_counted():
    foreign = Foreign()
    await foreign.take(body(kind="ping"), body(kind="renamed"), None)

    assert foreign.events() == []
    assert foreign.letters() == []
    assert foreign.tally.unmapped == {"hooks": 3}
    assert foreign.tally.mapped == {}


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (b"\xff", "bad_utf8", ""),
        (b"{", "bad_json", ""),
        (b"[]", "not_an_object", "a list"),
        (body(number=None), "missing_field", "number"),
        (body(at="yesterday"), "bad_time", "yesterday"),
        (body(urgency="so-so"), "unknown_value", "urgency"),
        (body(number="T\n1"), "bad_id", ""),
        (body(number="T" * 600), "bad_id", ""),
        (body(born=ms("Mon 11:00")), "rejected", "before_it_was"),
        (body(text="x" * 2_000), "too_long", "category"),
        (body(more="x" * 10_000), "too_large", "10,"),
    ],
)
async def test_what_does_not_map_becomes_a_dead_letter_as_it_came_and_its_neighbours_go_on(value, reason, detail):
    foreign = Foreign()
    await foreign.take(body(), value, body(number="T-2"))

    (letter,) = foreign.letters()
    assert (letter.topic, letter.partition, letter.offset) == ("hooks", 1, 1)
    assert (letter.reason, letter.value, letter.key, letter.headers) == (reason, value, b"k", (("h", b"x"),))
    assert detail in letter.detail
    assert reason in DEAD_LETTER_REASONS
    assert foreign.tally.dead_letters == {("hooks", reason): 1}
    assert len(foreign.events()) == 2


async def test_others_may_run_while_a_long_batch_is_mapped():
    assert await Foreign().take(*[body(number=f"T-{n}") for n in range(2 * RECORDS_AT_ONCE + 1)]) >= 2


async def test_how_far_it_is_and_where_its_events_end_is_told_when_it_changes():
    foreign = Foreign()
    await foreign.take(body(), caught_up=False)
    at, partition = ms("Mon 09:00") - 60_000, partition_of(b"T-1", PARTITIONS)
    assert foreign.markers() == [SourceMarker(source="hooks/1", watermark_ms=at, behind=True, ends={partition: 1})]
    # in the transaction of the events themselves
    assert len(foreign.writer.transactions) == 1

    at_once(foreign.processor.tick(Now(NOW, caught_up=False)))
    assert not foreign.state.dirty

    await foreign.take(body(number="T-1", kind="done", at=ms("Mon 08:00")), caught_up=False)
    assert len(foreign.markers()) == 1

    at_once(foreign.processor.tick(Now(NOW, caught_up=True)))
    await foreign.state.commit(1)
    assert foreign.markers()[1:] == [SourceMarker(source="hooks/1", watermark_ms=0, behind=False, ends={partition: 3})]
    at_once(foreign.processor.tick(Now(NOW, caught_up=True)))
    assert not foreign.state.dirty
    assert foreign.processor.next_tick_ms() is None


async def test_where_its_events_end_is_known_after_a_restart():
    foreign = Foreign()
    await foreign.take(body(), body(number="T-2"))
    foreign.restart()
    at_once(foreign.processor.tick(Now(NOW, caught_up=True)))
    await foreign.state.commit(2)

    ends = {partition_of(key, PARTITIONS): 1 for key in (b"T-1", b"T-2")}
    assert sum(ends.values()) == 2
    assert foreign.markers()[-1] == SourceMarker(source="hooks/1", watermark_ms=0, behind=False, ends=ends)


@given(st.binary(max_size=40) | st.just(b"[" * 5_000) | st.just(b'{"source": 1}'))
def test_what_is_no_marker_is_refused(value):
    with pytest.raises(DecodeError, match="no marker of ours"):
        decode_source_marker(value)


BODIES = [
    ("jira", jira_updated(NOW, jira_change("resolution", None, "Fixed"), jira_change("Key", "A-1", "B-1"))),
    ("jira", jira_comment(jira_user("anna"), public=True)),
    ("zendesk", zendesk_comment(staff=True, public=True)),
    ("pbx-cdr", cdr()),
    ("debezium-tickets", debezium("u", row("waiting"), row("solved"))),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
    | st.sampled_from(["", "0001-01-01 00:00:00", "9999-12-31T23:59:59Z", "9" * 5_000, "x" * 2_000, "\x7f", 10**400]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)  # fmt: skip


def places(body, path=()):
    """Return the path of every part of a body."""
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


def changed(body, path, value):
    """Return a body with another value at a path."""
    if not path:
        return value
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[path[0]] = changed(body[path[0]], path[1:], value)
    return copy


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_a_body_holds_it_makes_valid_events_or_is_a_dead_letter_for_a_known_reason(data):
    name, body = data.draw(st.sampled_from(BODIES))
    for _ in range(data.draw(st.integers(1, 3))):
        body = changed(body, data.draw(st.sampled_from(places(body))), data.draw(JSON))
    foreign = Foreign(mapper_of(name))

    list(foreign.processor.batch(records("hooks", json.dumps(body).encode()), Now(NOW, caught_up=True)))

    for topic, key, value, headers, *_ in foreign.state._outputs:
        if topic == "dead":
            assert decode_dead_letter(value, headers).reason in DEAD_LETTER_REASONS
        elif not headers:
            decode(foreign.processor.subject, key, value)


# ---- deadlines of tickets that are made of a foreign topic

DESK = agreement(clock(budgets={"P1": "4h"}, at_risk=()))
FEEDERS = ("hooks/0", "hooks/1")


class Tickets:
    """The one partition of tickets, which two foreign partitions feed; it can be restarted."""

    def __init__(self, feeders=FEEDERS):
        self.writer = FakeWriter(partitions=1)
        self.state = PartitionState(
            topic="tickets", partition=0, changelog="state", codec=SOURCE_ROWS, writer=self.writer
        )
        self.markers = Markers()
        self.restart(feeders)

    def restart(self, feeders=FEEDERS):
        self.processor = Ingest(
            self.state, subject="ticket", books=Books(Book((DESK,), 1)), outlets=OUTLETS, tally=Tally(),
            retention_ms=90 * 86_400_000, lateness_ms=60_000,
            feeders=partial(Feeders, sources=feeders, markers=self.markers, longest_s=LONGEST_S) if feeders else None,
        )  # fmt: skip
        at_once(self.processor.restore())

    def hear(self, *markers):
        """Markers stand in their topic."""
        records = [(one.source.encode(), encode_source_marker(one)[1]) for one in markers]
        end = self.markers.end
        self.markers.take([
            ConsumerRecord("markers", 0, end + place, 0, 0, key, value, None, 1, len(value), ())
            for place, (key, value) in enumerate(records)
        ])  # fmt: skip

    async def take(self, time, *found):
        position = self.state.position
        batch = [
            ConsumerRecord("tickets", 0, position + offset, 0, 0, key, value, None, 1, len(value), tuple(headers))
            for offset, (key, value, headers) in enumerate(found)
        ]
        for _ in self.processor.batch(batch, Now(ms(time), caught_up=True)):
            pass
        await self.state.commit(position + len(found))
        self.processor.committed()

    async def tick(self, time):
        at_once(self.processor.tick(Now(ms(time), caught_up=True)))
        await self.state.commit(self.state.position)
        self.processor.committed()

    def told(self):
        return [
            (alert.key.what, alert.state)
            for (name, _), found in self.writer.committed.items()
            if name == "alerts"
            for alert in [decode_alert(one[1]) for one in found]
        ]

    def standing(self):
        """What the evaluators were told last: whether it is behind."""
        partials = [decode_partial(one[0], one[1]) for one in self.writer.committed.get(("partials", 0), [])]
        return [one.behind for one in partials if isinstance(one, Marker)][-1]


def event(ticket, kind, time):
    value = {"id": f"{ticket}-{kind}", "type": kind, "time": ms(time), "ticket": ticket, "priority": "P1"}
    return ticket.encode(), orjson.dumps(value), ()


def level(source, end=0):
    return SourceMarker(source=source, watermark_ms=0, behind=False, ends={0: end})


def behind(source, time):
    return SourceMarker(source=source, watermark_ms=ms(time) if time else 0, behind=True)


@pytest.fixture
async def tickets():
    """A ticket that is due on Monday at 13:00, on a monitor that was stopped at noon; all was level then."""
    tickets = Tickets()
    tickets.hear(*map(level, FEEDERS))
    await tickets.take("Mon 09:00", event("T-1", "opened", "Mon 09:00"))
    await tickets.tick("Mon 12:00")
    await tickets.take("Mon 12:00", event("T-2", "opened", "Mon 12:00"))
    tickets.restart()
    return tickets


async def test_after_a_stop_no_deadline_is_judged_by_the_clock_before_each_foreign_topic_was_heard_of(tickets):
    await tickets.tick("Mon 14:00")
    tickets.hear(level("hooks/0"))
    assert tickets.processor.feeders.has_news
    await tickets.tick("Mon 14:00")
    assert tickets.told() == []
    assert tickets.standing() is True
    assert tickets.processor.next_tick_ms() == 0

    # T-1 was resolved at 12:30, while nobody looked
    tickets.hear(behind("hooks/1", ""))
    await tickets.tick("Mon 14:00")
    await tickets.take("Mon 14:00", event("T-1", "resolved", "Mon 12:30"))
    tickets.hear(behind("hooks/1", "Mon 12:30"))
    await tickets.tick("Mon 14:00")
    assert tickets.told() == []

    tickets.hear(level("hooks/1", 3))
    await tickets.tick("Mon 14:00")
    assert tickets.told() == []
    assert tickets.standing() is False
    await tickets.tick("Mon 16:01")
    assert tickets.told() == [("T-2", "breached")]


async def test_that_a_foreign_topic_has_caught_up_holds_once_all_its_events_have_been_read(tickets):
    # its marker is there before the last event that was made of it
    tickets.hear(level("hooks/0"), level("hooks/1", 3))
    await tickets.tick("Mon 14:00")
    assert tickets.told() == []
    assert tickets.processor.next_tick_ms() == 0

    await tickets.take("Mon 14:00", event("T-1", "resolved", "Mon 12:30"))
    await tickets.tick("Mon 14:00")
    assert tickets.told() == []
    assert tickets.standing() is False


async def test_a_foreign_topic_that_catches_up_lets_deadlines_pass_up_to_where_it_is(tickets):
    tickets.hear(level("hooks/0"), behind("hooks/1", "Mon 13:30"))
    await tickets.tick("Mon 17:00")
    assert tickets.told() == [("T-1", "breached")]

    tickets.hear(behind("hooks/1", "Mon 16:30"))
    await tickets.tick("Mon 17:00")
    assert tickets.told() == [("T-1", "breached"), ("T-2", "breached")]


async def test_one_that_was_behind_before_a_restart_still_is(tickets):
    tickets.hear(*map(level, FEEDERS), behind("hooks/1", "Mon 12:00"))
    await tickets.tick("Mon 12:00")
    tickets.restart()
    tickets.hear(level("hooks/0"))
    await tickets.tick("Mon 14:00")
    assert tickets.told() == []


async def test_what_a_foreign_topic_said_before_a_stop_says_nothing_after_it(tickets):
    tickets.hear(*map(level, FEEDERS))
    await tickets.tick("Mon 12:00")
    tickets.restart()
    await tickets.tick("Mon 14:00")
    assert tickets.told() == []


@pytest.mark.parametrize("forged", [b'"watermark_ms":%d', b'"watermark_ms":0,"ends":{"0":%d}'])
@pytest.mark.parametrize("number", [-1, 1 << 64, 10**30])
async def test_a_marker_with_a_number_that_no_row_takes_is_refused_and_no_ticket_suffers(tickets, forged, number):
    value = b'{"source":"hooks/0","behind":true,' + forged % number + b"}"
    tickets.markers.take([ConsumerRecord("markers", 0, tickets.markers.end, 0, 0, b"hooks/0", value, None, 1, 1, ())])

    await tickets.take("Mon 12:00", event("T-3", "opened", "Mon 12:00"))

    assert tickets.markers.refused == 1
    assert subject_key("T-3") in tickets.state.rows


async def test_markers_of_a_topic_that_was_made_anew_are_heard(tickets):
    tickets.hear(*map(level, FEEDERS), *map(level, FEEDERS))
    await tickets.tick("Mon 12:00")
    tickets.markers = Markers()
    tickets.restart()
    tickets.hear(*map(level, FEEDERS))
    await tickets.tick("Mon 14:00")
    assert tickets.told() == [("T-1", "breached")]


async def test_a_foreign_topic_that_was_taken_out_of_the_settings_holds_nothing_back(tickets):
    tickets.hear(*map(level, FEEDERS), behind("hooks/1", "Mon 12:00"))
    await tickets.tick("Mon 12:00")
    tickets.restart(feeders=())
    await tickets.tick("Mon 14:00")
    assert tickets.told() == [("T-1", "breached")]
    assert horizon.marker_key("hooks/1") not in tickets.state.rows
    assert heard_key("hooks/1") not in tickets.state.rows


async def test_one_that_nobody_opens_is_not_waited_for_for_ever(tickets, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(horizon.time, "monotonic", lambda: now[0])
    await tickets.tick("Mon 14:00")
    assert tickets.told() == []
    now[0] = SILENCE_S + 1
    await tickets.tick("Mon 14:00")
    assert tickets.told() == [("T-1", "breached")]


async def test_one_that_catches_up_and_does_not_get_further_is_told_and_let_go(tickets, monkeypatch, caplog):
    now = [0.0]
    monkeypatch.setattr(horizon.time, "monotonic", lambda: now[0])
    feeds = tickets.processor.feeders.horizon
    tickets.hear(level("hooks/0"), behind("hooks/1", "Mon 12:00"))
    await tickets.tick("Mon 14:00")
    assert feeds.held_s() == 0
    # as long as it gets further it may take its time
    now[0] = LONGEST_S - 1
    tickets.hear(behind("hooks/1", "Mon 12:30"))
    await tickets.tick("Mon 14:00")
    now[0] = 2 * LONGEST_S - 2
    await tickets.tick("Mon 14:00")
    assert tickets.told() == []
    assert feeds.held_s() == 2 * LONGEST_S - 2

    now[0] = 2 * LONGEST_S
    await tickets.tick("Mon 14:00")
    assert tickets.told() == [("T-1", "breached")]
    assert feeds.let_go == {"hooks/1"}
    assert "hooks/1 catches up and has not got further for 1800 s" in caplog.text
    assert feeds.held_s() == 0

    # it holds back again once it gets further
    tickets.hear(behind("hooks/1", "Mon 15:00"))
    await tickets.tick("Mon 17:00")
    assert tickets.told() == [("T-1", "breached")]
    assert feeds.let_go == set()


async def test_what_looks_like_a_marker_among_the_events_is_a_dead_letter_and_silences_nothing():
    tickets = Tickets(feeders=("hooks/0",))
    tickets.hear(level("hooks/0"))
    await tickets.take("Mon 09:00", event("T-1", "opened", "Mon 09:00"))
    forged = orjson.dumps({"source": "hooks/0", "watermark_ms": 1, "behind": True})
    await tickets.take("Mon 09:00", (b"hooks/0", forged, [("sla-marker", b"1")]))
    await tickets.tick("Mon 13:01")

    assert tickets.told() == [("T-1", "breached")]
    assert tickets.processor.tally.dead_letters == {("tickets", "missing_field"): 1}


async def test_what_was_heard_in_a_batch_that_failed_is_heard_again(tickets):
    tickets.hear(level("hooks/0"), behind("hooks/1", "Mon 12:00"))
    at_once(tickets.processor.tick(Now(ms("Mon 14:00"), caught_up=True)))
    tickets.state.take_back()
    at_once(tickets.processor.recover(ValueError()))
    assert tickets.processor.feeders.has_news

    await tickets.tick("Mon 14:00")
    tickets.hear(level("hooks/1"))
    await tickets.tick("Mon 14:00")
    assert tickets.told() == [("T-1", "breached")]


async def test_what_is_due_after_a_batch_is_told_in_its_transaction():
    tickets = Tickets(feeders=())
    await tickets.take("Mon 09:00", event("T-1", "opened", "Mon 09:00"))
    await tickets.take("Mon 12:59", event("T-2", "opened", "Mon 12:59"))
    assert tickets.told() == []

    await tickets.take("Mon 13:01", event("T-2", "responded", "Mon 13:00"))
    assert tickets.told() == [("T-1", "breached")]
    await tickets.tick("Mon 14:00")
    assert tickets.told() == [("T-1", "breached")]


async def test_with_the_batch_that_catches_up_nothing_is_judged_by_the_clock_yet():
    tickets = Tickets(feeders=())
    await tickets.take("Mon 14:00", event("T-1", "opened", "Mon 09:00"))
    assert tickets.told() == []
    await tickets.tick("Mon 14:00")
    assert tickets.told() == [("T-1", "breached")]


async def test_a_record_that_would_make_more_events_than_one_may_is_a_dead_letter_and_makes_none():
    foreign = Foreign(mapper_of("jira"), replace(OUTLETS, max_event_bytes=1 << 20))
    changes = [jira_change("assignee", None, f"agent-{number}") for number in range(1_001)]
    many = jira_issue_event("issue_updated", ms("Mon 09:00"), changelog={"id": "1", "items": changes})
    few = jira_issue_event("issue_updated", ms("Mon 09:00"), changelog={"id": "2", "items": changes[:1]})

    await foreign.take(orjson.dumps(many), orjson.dumps(few))

    assert [(one.offset, one.reason) for one in foreign.letters()] == [(0, "too_many_events")]
    assert len(foreign.events()) == 1


async def test_a_body_of_a_megabyte_costs_no_more_than_its_bytes():
    """It copied all its columns for each item of its change log: 112 s of CPU, while nothing else was done."""
    foreign = Foreign(mapper_of("jira"), replace(OUTLETS, max_event_bytes=1 << 20))
    items = [{"field": "labels", "to": f"{number:05}"} for number in range(1_999)]
    body = jira_issue_event("issue_updated", ms("Mon 09:00"), changelog={"id": "1", "items": items})
    value = orjson.dumps(body | {f"column-{number}": number for number in range(45_000)})
    assert 900_000 < len(value) < 1 << 20
    started = time.process_time()

    await foreign.take(value)

    assert time.process_time() - started < 5
    assert (foreign.letters(), foreign.tally.unmapped["hooks"]) == ([], 1)


def test_the_clock_of_an_installation_is_told_among_the_markers_and_is_none_of_a_source():
    markers, value = Markers(), encode_clock_marker(ClockMarker(wall_ms=1, clock_ms=2, speed=60))
    markers.take([ConsumerRecord("markers", 0, 7, 0, 0, *value, None, 5, 9, ())])
    assert (markers.newest, markers.end, markers.refused) == ({}, 8, 0)
