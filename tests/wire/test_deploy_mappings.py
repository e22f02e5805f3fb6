"""The mappings that come with the program, on bodies of the documented shapes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from monitor.config.mappings.mapping import load_mapping
from monitor.errors import DecodeError
from monitor.wire.events import decode, encode_event
from monitor.wire.instants import rfc3339
from monitor.wire.mapping import Mapper
from tests.wire import foreign_bodies as bodies
from tests.wire.foreign_bodies import cdr, debezium, jira_change, jira_comment, jira_issue, jira_updated, jira_user

MAPPINGS = Path(__file__).parents[2] / "deploy" / "mappings"
NOON = 1767610800000  # 2026-01-05T11:00:00Z


@cache
def mapper(name: str) -> Mapper:
    return Mapper(load_mapping(MAPPINGS / f"{name}.yaml", live=True))


def made(name: str, body: bodies.Body) -> list[tuple[str, str, str]]:
    """Return subject, type and time of the events that a body makes; each must be an event of its topic."""
    events = mapper(name).events(body) or []
    for event in events:
        assert decode(event.subject, *encode_event(event)) == event
    assert len({event.fact.id for event in events}) == len(events)
    return [(event.subject_id, event.fact.type, rfc3339(event.fact.time_ms)) for event in events]


def types(name: str, body: bodies.Body) -> list[str]:
    return [one[1] for one in made(name, body)]


def attributes(name: str, body: bodies.Body) -> dict[str, object]:
    (event,) = mapper(name).events(body) or []
    return dict(event.fact.attributes)


def test_each_mapping_that_comes_with_the_program_can_be_put_in_front_of_a_topic():
    names = {path.stem for path in MAPPINGS.glob("*.yaml")}
    assert names == {"jira", "zendesk", "pbx-cdr", "debezium-tickets"}
    for name in names:
        assert mapper(name).mapping.name == name


# ---- Jira


def test_an_issue_of_jira_opens_a_ticket_at_its_creation_with_what_is_known_of_it():
    body = bodies.jira_issue_event("issue_created", NOON)
    assert made("jira", body) == [("DESK-7", "opened", "2026-01-05T09:00:00.250Z")]
    assert attributes("jira", body) == {
        "service": "DESK", "customer": "Finance", "priority": "P2", "category": "Incident",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("author", "public", "expected"),
    [
        (jira_user("carla", "customer"), True, ("customer_replied", {})),
        (jira_user("anna"), True, ("responded", {"public": True, "automatic": False, "agent": "anna"})),
        (jira_user("anna"), False, ("responded", {"public": False, "automatic": False, "agent": "anna"})),
        (jira_user("anna"), None, ("responded", {"public": True, "automatic": False, "agent": "anna"})),
        (jira_user("robot", "app"), True, ("responded", {"public": True, "automatic": True, "agent": "robot"})),
    ],
    ids=["a customer", "an agent", "an internal note", "in a project without customers", "an app"],
)
def test_who_comments_in_jira_and_for_whom_tells_a_response_from_a_customers_reply(author, public, expected):
    body = jira_comment(author, public=public)
    kind, more = expected
    assert made("jira", body) == [("DESK-7", kind, "2026-01-05T09:30:00.000Z")]
    # a comment brings no customer: it must not change the one that the ticket has
    assert attributes("jira", body) == {"service": "DESK", "priority": "P2", "category": "Incident", **more}


def test_a_reporter_with_an_account_is_a_customer_where_jira_names_the_reporter():
    of_anna = jira_issue(reporter=jira_user("anna"))
    assert types("jira", jira_comment(jira_user("anna"), public=True, issue=of_anna)) == ["customer_replied"]
    assert types("jira", jira_comment(jira_user("ben"), public=True, issue=of_anna)) == ["responded"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([jira_change("assignee", None, "Anna")], ["assigned"]),
        ([jira_change("assignee", "Anna", None)], []),
        ([jira_change("priority", "Low", "High")], ["priority_changed"]),
        ([jira_change("status", "Open", "In Progress"), jira_change("assignee", None, "Anna")],
         ["assigned", "acknowledged"]),
        ([jira_change("status", "In Progress", "Waiting for customer")], ["paused"]),
        ([jira_change("status", "Waiting for customer", "In Progress")], ["acknowledged", "resumed"]),
        ([jira_change("status", "Waiting for customer", "Pending")], ["resumed", "paused"]),
        ([jira_change("resolution", None, "Fixed"), jira_change("status", "In Progress", "Resolved")], ["resolved"]),
        ([jira_change("resolution", "Fixed", "Duplicate")], []),
        ([jira_change("resolution", "Fixed", None), jira_change("status", "Resolved", "Open")], ["reopened"]),
        ([jira_change("status", "Resolved", "Closed")], ["closed"]),
        ([jira_change("summary", "Fire", "Fire!")], []),
    ],
)  # fmt: skip
def test_each_item_of_jiras_change_log_tells_its_own_event(changes, expected):
    found = made("jira", jira_updated(NOON, *changes))
    assert [one[1] for one in found] == expected
    assert {one[0::2] for one in found} <= {("DESK-7", "2026-01-05T11:00:00.000Z")}


def test_why_a_ticket_waits_is_told_by_the_state_it_is_in():
    waiting = attributes("jira", jira_updated(NOON, jira_change("status", "Open", "Waiting for customer")))
    assert waiting["reason"] == "waiting_for_customer"
    assert attributes("jira", jira_updated(NOON, jira_change("status", "Open", "Pending")))["reason"] == (
        "waiting_for_others"
    )


def test_an_issue_that_moves_to_another_project_is_another_ticket_there():
    moved = jira_updated(NOON, jira_change("Key", "DESK-7", "NET-3"), issue=jira_issue("NET-3"))
    assert made("jira", moved) == [
        ("DESK-7", "cancelled", "2026-01-05T11:00:00.000Z"),
        ("NET-3", "opened", "2026-01-05T11:00:00.000Z"),
    ]


def test_a_deleted_issue_is_cancelled_and_what_is_not_about_issues_is_passed_over():
    assert types("jira", bodies.jira_issue_event("issue_deleted", NOON)) == ["cancelled"]
    assert mapper("jira").events({"webhookEvent": "sprint_started", "timestamp": NOON, "sprint": {"id": 1}}) is None


def test_a_priority_that_the_mapping_does_not_know_is_told_not_guessed():
    with pytest.raises(DecodeError, match="unknown_value"):
        mapper("jira").events(bodies.jira_issue_event("issue_created", NOON, jira_issue(priority="Blocker")))


# ---- Zendesk


def test_a_ticket_of_zendesk_is_opened_at_its_creation():
    body = bodies.zendesk("created", "2026-01-05T09:00:01.123456789Z")
    assert made("zendesk", body) == [("4711", "opened", "2026-01-05T09:00:00.000Z")]
    # group 0 is none
    assert attributes("zendesk", body) == {"customer": "55", "service": "8", "priority": "P2", "channel": "web"}


@pytest.mark.parametrize(
    ("staff", "public", "kind", "told"),
    [
        (True, True, "responded", True),
        (True, False, "responded", False),
        (False, True, "customer_replied", None),
    ],
)
def test_staff_responds_in_public_or_notes_internally_and_others_are_customers(staff, public, kind, told):
    body = bodies.zendesk_comment(staff=staff, public=public)
    assert made("zendesk", body) == [("4711", kind, "2026-01-05T09:30:00.123Z")]
    assert attributes("zendesk", body).get("public") is told


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("NEW", "OPEN", ["acknowledged"]),
        ("NEW", "SOLVED", ["acknowledged", "resolved"]),
        ("NEW", "DELETED", []),
        ("OPEN", "PENDING", ["paused"]),
        ("PENDING", "OPEN", ["resumed"]),
        ("PENDING", "HOLD", ["resumed", "paused"]),
        ("HOLD", "SOLVED", ["resumed", "resolved"]),
        ("SOLVED", "OPEN", ["reopened"]),
        ("SOLVED", "PENDING", ["reopened", "paused"]),
        ("SOLVED", "CLOSED", ["closed"]),
    ],
)
def test_a_change_of_state_in_zendesk_ends_one_thing_and_begins_another(before, after, expected):
    event = {"previous": before, "current": after}
    assert types("zendesk", bodies.zendesk("status_changed", "2026-01-05T10:00:00Z", event=event)) == expected


def test_other_events_of_zendesk():
    for kind, event, expected in (
        ("agent_assignment_changed", {"previous": None, "current": "99"}, ["assigned"]),
        ("agent_assignment_changed", {"previous": "99", "current": None}, []),
        ("priority_changed", {"previous": "LOW", "current": "HIGH"}, ["priority_changed"]),
        ("merged", {"target_ticket_id": "12"}, ["cancelled"]),
        ("soft_deleted", {}, ["cancelled"]),
        ("tags_changed", {"tags_added": ["x"]}, []),
    ):
        assert types("zendesk", bodies.zendesk(kind, "2026-01-05T10:00:00Z", event=event)) == expected, kind


# ---- a telephone exchange


def test_one_call_detail_record_tells_the_whole_call():
    assert made("pbx-cdr", cdr()) == [
        ("1767603600.17", "queued", "2026-01-05T09:00:00.000Z"),
        ("1767603600.17", "answered", "2026-01-05T09:00:15.000Z"),
        ("1767603600.17", "ended", "2026-01-05T09:01:35.000Z"),
    ]
    *_, ended = mapper("pbx-cdr").events(cdr()) or []
    assert ended.fact.attributes == {"queue": "600", "caller": "0301", "customer": "finance", "talk_ms": 80_000}


@pytest.mark.parametrize("disposition", ["NO ANSWER", "BUSY", "FAILED", "CONGESTION"])
def test_a_call_that_nobody_answered_was_abandoned_at_its_end(disposition):
    assert made("pbx-cdr", cdr(disposition)) == [
        ("1767603600.17", "queued", "2026-01-05T09:00:00.000Z"),
        ("1767603600.17", "abandoned", "2026-01-05T09:01:35.000Z"),
    ]


def test_a_record_of_an_exchange_whose_clock_went_back_is_rejected_with_its_reason():
    with pytest.raises(DecodeError, match="ended_before_start"):
        mapper("pbx-cdr").events(cdr(end="2026-01-05 08:59:59"))


# ---- a database's change log


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (debezium("c", None, bodies.row()), ["opened"]),
        (debezium("r", None, bodies.row()), ["opened"]),
        (debezium("u", bodies.row(), bodies.row(priority="P1", team="net")), ["assigned", "priority_changed"]),
        (debezium("u", bodies.row("new"), bodies.row("waiting")), ["paused"]),
        (debezium("u", bodies.row("waiting"), bodies.row("solved")), ["resumed", "resolved"]),
        (debezium("u", bodies.row("solved"), bodies.row("open")), ["reopened"]),
        (debezium("u", bodies.row("open"), bodies.row("open")), []),
        (debezium("d", bodies.row("open"), None), []),
    ],
)
def test_before_and_after_of_a_row_tell_what_happened_to_its_ticket(body, expected):
    assert types("debezium-tickets", body) == expected


def test_a_tickets_creation_is_read_in_microseconds():
    assert made("debezium-tickets", debezium("c", None, bodies.row())) == [("17", "opened", "2026-01-05T09:00:00.250Z")]


# ---- all of them


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("jira", jira_updated(NOON, jira_change("resolution", None, "Fixed"), jira_change("status", "A", "Closed"))),
        ("jira", jira_comment(jira_user("anna"), public=True)),
        ("zendesk", bodies.zendesk_comment(staff=True, public=True)),
        ("pbx-cdr", cdr()),
        ("debezium-tickets", debezium("u", bodies.row("waiting"), bodies.row("solved"))),
    ],
)
def test_what_is_delivered_twice_makes_the_very_same_events_whatever_came_between(name, body):
    first = mapper(name).events(body)
    again = Mapper(load_mapping(MAPPINGS / f"{name}.yaml", live=True))
    assert first
    assert again.events(body) == first
    assert again.events(body) == first
