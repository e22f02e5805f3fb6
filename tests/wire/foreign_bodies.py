"""Bodies as foreign systems send them, of the shape that their documentation shows, with contents of our own.

Jira: https://developer.atlassian.com/cloud/jira/platform/webhooks/ (`jsdPublic`, `accountType`: its REST API).
Zendesk: https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/
Asterisk: https://docs.asterisk.org/Configuration/Reporting/Call-Detail-Records-CDR/CDR-Variables/
Debezium: https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events
"""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

# ---- Jira


def jira_user(account: str, kind: str = "atlassian") -> Body:
    return {"accountId": account, "accountType": kind, "displayName": account.title(), "active": True}


def jira_issue(key: str = "DESK-7", priority: str = "High", *, whole: bool = True, **fields: Any) -> Body:
    """Return an issue; in the bodies of comments Jira leaves most fields out (``whole=False``)."""
    few = {
        "summary": "The printer is on fire",
        "issuetype": {"id": "10001", "name": "Incident"},
        "project": {"id": "10000", "key": key.partition("-")[0], "name": "Service desk"},
        "priority": {"id": "2", "name": priority},
        "status": {"name": "Open", "statusCategory": {"key": "new"}},
        "assignee": None,
    }
    rest = {
        "created": "2026-01-05T10:00:00.250+0100",
        "updated": "2026-01-05T10:00:00.250+0100",
        "reporter": jira_user("carla", "customer"),
        "resolution": None,
        "customfield_10002": [{"id": "1", "name": "Finance"}],
    }
    return {"id": "10042", "key": key, "fields": few | (rest if whole else {}) | fields}


def jira_issue_event(name: str, at_ms: int, issue: Body | None = None, **more: Any) -> Body:
    return {
        "timestamp": at_ms,
        "webhookEvent": f"jira:{name}",
        "issue_event_type_name": "issue_generic",
        "user": jira_user("anna"),
        "issue": issue or jira_issue(),
        **more,
    }


def jira_change(field: str, before: str | None, after: str | None) -> Body:
    return {
        "field": field, "fieldtype": "jira", "fieldId": field,
        "from": before and f"id of {before}", "fromString": before, "to": after and f"id of {after}", "toString": after,
    }  # fmt: skip


def jira_updated(at_ms: int, *changes: Body, issue: Body | None = None, change: str = "20001") -> Body:
    return jira_issue_event("issue_updated", at_ms, issue, changelog={"id": change, "items": list(changes)})


def jira_comment(
    author: Body, *, public: bool | None, created: str = "2026-01-05T10:30:00.000+0100", **more: Any
) -> Body:
    comment = {"id": "30001", "author": author, "body": "Have you tried water?", "created": created, "updated": created}
    if public is not None:
        comment["jsdPublic"] = public
    issue = jira_issue(whole=False)
    return {"timestamp": 1767605400123, "webhookEvent": "comment_created", "comment": comment, "issue": issue, **more}


# ---- Zendesk


def zendesk(kind: str, time: str, *, delivery: str = "01J-1", event: Body | None = None, **detail: Any) -> Body:
    return {
        "type": f"zen:event-type:ticket.{kind}",
        "account_id": 123,
        "id": delivery,
        "time": time,
        "zendesk_event_version": "2022-11-06",
        "subject": "zen:ticket:4711",
        "detail": {
            "id": "4711", "created_at": "2026-01-05T09:00:00Z", "updated_at": time, "priority": "HIGH",
            "status": "OPEN", "organization_id": "55", "group_id": "0", "brand_id": "8", "requester_id": "77",
            "is_public": True, "tags": ["printer"], "via": {"channel": "web"}, **detail,
        },
        "event": event or {},
    }  # fmt: skip


def zendesk_comment(*, staff: bool, public: bool, delivery: str = "01J-2") -> Body:
    author = {"id": "99", "is_staff": staff, "name": "Somebody"}
    comment = {"id": "5", "body": "Have you tried water?", "is_public": public, "author": author}
    return zendesk("comment_added", "2026-01-05T09:30:00.123456789Z", delivery=delivery, event={"comment": comment})


# ---- Asterisk


def cdr(disposition: str = "ANSWERED", **changes: Any) -> Body:
    answered = disposition == "ANSWERED"
    return {
        "uniqueid": "1767603600.17", "linkedid": "1767603600.17", "clid": '"Carla" <0301>', "src": "0301", "dst": "600",
        "dcontext": "from-outside", "channel": "PJSIP/trunk-1", "dstchannel": "PJSIP/21-2" if answered else "",
        "lastapp": "Queue", "lastdata": "support", "accountcode": "finance",
        "start": "2026-01-05 09:00:00", "answer": "2026-01-05 09:00:15" if answered else "",
        "end": "2026-01-05 09:01:35", "duration": 95, "billsec": 80 if answered else 0, "disposition": disposition,
        **changes,
    }  # fmt: skip


# ---- Debezium


def row(state: str = "new", priority: str = "P2", team: str | None = None) -> Body:
    return {
        "id": 17, "customer": "finance", "service": "mail", "priority": priority, "team": team, "state": state,
        "created_at": 1767603600250000,
    }  # fmt: skip


def debezium(op: str, before: Body | None, after: Body | None, at_ms: int = 1767605400000) -> Body:
    payload = {"before": before, "after": after, "op": op, "ts_ms": at_ms + 40}
    payload["source"] = {"connector": "postgresql", "table": "tickets", "ts_ms": at_ms, "lsn": 24023128}
    return {"schema": {"type": "struct", "fields": []}, "payload": payload}
