"""Receivers and notices to tell stories about: a ticket that is late, an objective that is missed, a storm of both."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import NamedTuple

import orjson
from hypothesis import strategies as st
from pydantic import TypeAdapter

from monitor.config.receivers.kinds.alertmanager import fingerprint
from monitor.config.receivers.registry import Receiver, requests_for
from monitor.config.receivers.requests import Sender
from monitor.core.alerts.alert import Alert, AlertKey
from monitor.core.paging.notices import MAX_KEY, Notice
from tests.wire.strategies import alerts as any_alerts
from tests.wire.strategies import instants

NOON_MS = 1_772_452_800_000  # 2026-03-02T12:00Z
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
SENDER = Sender("sla-monitor", "pager")
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdefghijklmnopqrstuv").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"vutsrqponmlkjihgfedcba9876543210").decode()
ROUTING_KEY = "0123456789abcdef0123456789abcdef"


def texts_of_card(body):
    """The blocks of an Adaptive Card, each as its text."""
    blocks = body["attachments"][0]["content"]["body"]
    return ["".join(run["text"] for run in block["inlines"]) for block in blocks]


class Row(NamedTuple):
    """What the tests know of a kind of receiver."""

    settings: dict
    identity: Callable
    """By what the service (or a reader of the channel) knows a page again: of a request and its payload."""
    accepted: tuple = (200, b"")
    """An answer of the service to a notice that it took: status and body."""


ROWS = {
    "generic": Row(
        {"url": "https://desk.example/hook?team=1", "secrets": [SECRET, OLD_SECRET]}, lambda _, body: body["subject"]
    ),
    "alertmanager": Row(
        {"url": "https://bridge.example/alerts"},
        lambda _, body: (body["groupKey"], fingerprint(body["alerts"][0]["labels"])),
    ),
    "alertmanager_api": Row(
        {"url": "http://alertmanager.example:9093/"}, lambda _, body: fingerprint(body[0]["labels"])
    ),
    "pagerduty": Row({"routing_key": ROUTING_KEY}, lambda _, body: body["dedup_key"], (202, b'{"status":"success"}')),
    "opsgenie": Row(
        {"api_key": "genie-0123456789", "teams": ["Service desk"], "tags": ["sla"]},
        lambda request, body: body.get("alias") or request.url.split("/")[-2],
        (202, b'{"result":"Request will be processed"}'),
    ),
    # A channel keeps all messages: people tell the pages apart.
    "slack": Row(
        {"url": "https://hooks.slack.com/services/T0/B0/s3cr3tpath"},
        lambda _, body: body["blocks"][-1]["elements"][1]["text"],
        (200, b"ok"),
    ),
    "teams": Row(
        {"url": "https://prod-01.westeurope.logic.azure.com/workflows/f10w/triggers/manual/paths/invoke?sig=s3cr3ts1g"},
        lambda _, body: texts_of_card(body)[-1].split(" · ")[1],
        (202, b""),
    ),
}
KINDS = sorted(ROWS)
LINK = "https://grafana.example/d/sla?var-a=1&b=2"

_RECEIVER = TypeAdapter(Receiver)


def receiver(kind, **changes):
    return _RECEIVER.validate_python({"kind": kind, **ROWS[kind].settings, **changes})


def late_ticket(state="breached", what="T-17", **changes):
    """Ticket T-17, of which four hours were promised, opened at 07:30."""
    reasons = {"at_risk": "elapsed_75", "breached": "due", "resolved": "stopped"}
    one = Alert(
        id=f"alert-{state}-{what}"[:60],
        key=AlertKey("ticket", what, "desk", "resolution", 1),
        state=state,
        at_ms=NOON_MS - 30 * MINUTE_MS,
        reason=reasons.get(state, "cancelled"),
        version=3,
        labels={"agreement": "desk", "promise": "resolution", "subject": "ticket", "customer": "Ex & Co <x>"},
        start_ms=NOON_MS - 4 * HOUR_MS - 30 * MINUTE_MS,
        due_ms=NOON_MS - 30 * MINUTE_MS,
        budget_ms=4 * HOUR_MS,
        elapsed_ms=4 * HOUR_MS,
        details=(("priority", "P1"),),
    )
    return one._replace(**changes)


def missed_objective(state="at_risk", **changes):
    one = Alert(
        id=f"alert-{state}-objective",
        key=AlertKey("objective", "Mail/30d", "desk", "in-time", 1),
        state=state,
        at_ms=NOON_MS - 10 * MINUTE_MS,
        reason="near_target",
        version=3,
        labels={
            "agreement": "desk",
            "objective": "in-time",
            "measure": "resolution",
            "customer": "Mail",
            "window": "30d",
        },
        indicator="compliance",
        window="30d",
        value=0.952,
        target=0.95,
        numerator=952.0,
        denominator=1000.0,
    )
    return one._replace(**changes)


def notice(action="trigger", *alerts, **changes):
    severities = {"trigger": "critical", "update": "critical", "resolve": "info"}
    one = Notice(
        id="0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        key="desk/2026-03-02/7",
        action=action,
        severity=severities[action],
        at_ms=NOON_MS,
        title="Ticket T-17 missed resolution",
        alerts=alerts or (late_ticket("resolved" if action == "resolve" else "breached"),),
    )
    return one._replace(**changes)


def all_asked(kind, told, now_ms=NOON_MS + 1500, **changes):
    return requests_for(receiver(kind, **changes), told, SENDER, now_ms)


def asked(kind, told, **options):
    """The last request: the only one of most."""
    return all_asked(kind, told, **options)[-1]


def payload(kind, told, **changes):
    return orjson.loads(asked(kind, told, **changes).body)


HOSTILE = [
    "x" * 10_000,
    "\U0001f525" * 5_000,
    'a"b\\c</script>&amp;<!channel>|*_~`{{ .Labels }}',
    "line\nbreak\r\n\ttab\x00nul\x1b[31m\u2028\x85",
    "../../%2F?#/\u202eevil",
    "&" * 4_000,
    "日本語" * 2_000,
    " ",
]
any_text = st.sampled_from(HOSTILE) | st.text(max_size=40)


@st.composite
def notices(draw):
    """Whatever can be told: alerts with hostile texts in every place that comes from outside."""
    told = []
    for alert in draw(st.lists(any_alerts(), max_size=3)):
        key = alert.key._replace(what=draw(any_text), agreement=draw(any_text))
        labels = alert.labels | {"customer": draw(any_text), draw(any_text): draw(any_text)}
        told.append(alert._replace(key=key, labels=labels, details=(("team", draw(any_text)),)))
    return Notice(
        id=draw(st.text("0123456789abcdef", min_size=32, max_size=32) | any_text),
        key=draw(any_text.filter(bool))[:MAX_KEY],
        action=draw(st.sampled_from(["trigger", "update", "resolve"])),
        severity=draw(st.sampled_from(["critical", "warning", "info"])),
        at_ms=draw(instants),
        title=draw(any_text),
        alerts=tuple(told) * draw(st.sampled_from([1, 1, 1, 40])),
        step=draw(st.integers(0, 5)),
        is_test=draw(st.booleans()),
        installation=draw(any_text),
        is_repeat=draw(st.booleans()),
    )
