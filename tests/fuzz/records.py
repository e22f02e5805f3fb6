"""Records as careless and hostile producers write them: made from good ones, changed at every level.

All of it is drawn from a ``random.Random``: of a seed in the program, of Hypothesis in the tests.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from monitor.config.agreements.checking import read_documents
from monitor.core.alerts.alert import Alert, AlertKey, AlertState, alert_id
from monitor.core.facts.events import ATTRIBUTES, DUE_ATTRIBUTES, SUBJECTS, TYPES, Subject
from monitor.core.series.series import PaneKey, SeriesKey, empty_pane
from monitor.wire.announcements import encode_alert
from monitor.wire.markers import SourceMarker, encode_source_marker
from monitor.wire.partials import encode_marker
from monitor.wire.responses import Acknowledgement, Enable, Resend, SilenceResponse, Skip, encode_response
from tests.partials import encode_partial
from tests.wire import foreign_bodies as foreign

NOW_MS: Final = 1_767_607_200_000  # 2026-01-05 10:00 UTC
TOPICS: Final[dict[Subject, str]] = {"ticket": "tickets", "call": "calls", "outage": "outages", "lead": "leads"}
FOREIGN: Final = {"jira": "jira-webhooks", "zendesk": "zendesk", "pbx-cdr": "cdr", "debezium-tickets": "cdc"}
NEIGHBOUR: Final = "neighbour"
"""The agreement of good alerts and panes: what hostile versions and tombstones do to the others is their right."""
STATES: Final[tuple[AlertState, ...]] = ("at_risk", "breached")
FOLLOWED: Final = ("agreements", "responses", "markers")
AGREEMENTS: Final = Path(__file__).parents[2] / "deploy" / "agreements"

Headers = tuple[tuple[str, bytes | None], ...]


class Made(NamedTuple):
    """A record that somebody might write."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


STRANGE_TEXTS: Final = (
    "",
    " ",
    "\x00",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "\u2028",
    "\u202e",
    "\u2066",
    "\ufeff",
    "\ud800",
    "🙂",
    "ä",
    "'\"/\\",
    "other",
    "null",
    "NaN",
    "${HOME}",
    "x" * 300,
    "x" * 5_000,
    "9" * 400,
    "2026-01-05T10:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "2026-01-05T10:00:00+24:00",
    "2026-02-30T10:00:00Z",
    "2026-01-05 10:00",
    "2016-12-31T23:59:60Z",
    "10:00",
    "-1",
    "1e999",
    "0x10",
    "١٢٣",
    "1_000",
    "T-1\nT-2",
    "../../etc",
    "%s%n{0}",
)
STRANGE_NUMBERS: Final = (
    0,
    -1,
    1,
    2**31,
    2**53,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    10**17,
    10**30,
    10**400,
    0.0,
    -0.0,
    1e-300,
    1e300,
    1e308,
    1.5,
    -2.5,
    NOW_MS,
    NOW_MS // 1000,
    NOW_MS * 1000,
    NOW_MS + 10**9,
    946_684_799_999,
    4_102_444_800_000,
    -62_135_596_800_000,
)


def strange(random: Random, depth: int = 0) -> Any:
    """Return a value that nobody expects."""
    match random.randrange(9 if depth < 3 else 6):
        case 0 | 1:
            return random.choice(STRANGE_TEXTS)
        case 2 | 3:
            return random.choice(STRANGE_NUMBERS)
        case 4:
            return random.choice((None, True, False, [], {}))
        case 5:
            return nested(random.choice((3, 100, 250, 900, 1015)))
        case 6:
            return [strange(random, depth + 1) for _ in range(random.randrange(4))]
        case 7:
            return {random.choice(STRANGE_TEXTS): strange(random, depth + 1) for _ in range(random.randrange(3))}
        case _:
            return [0] * random.choice((10, 1_500))


class Nested(NamedTuple):
    """So many lists in each other. `text_of` writes it: the encoders refuse it, the decoders do not."""

    depth: int


def nested(depth: int) -> Nested:
    """Return lists in each other."""
    return Nested(depth)


def text_of(value: Any) -> bytes:
    """Return JSON, also of what no encoder writes."""
    deep: list[int] = []

    def plain(one: Any) -> Any:
        if isinstance(one, Nested):
            deep.append(one.depth)
            return f"@nested{len(deep) - 1}@"
        if isinstance(one, dict):
            return {key: plain(each) for key, each in one.items()}
        if isinstance(one, list | tuple):
            return [plain(each) for each in one]
        return one

    text = json.dumps(plain(value), ensure_ascii=False)
    for place, depth in enumerate(deep):
        text = text.replace(f'"@nested{place}@"', "[" * depth + "]" * depth)
    return text.encode(errors="surrogatepass")


def mutated(random: Random, value: Any) -> Any:
    """Return a value with one place in it changed, removed, added or doubled."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        match random.randrange(8):
            case 0:
                return {name: one for name, one in value.items() if name != key}
            case 1:
                return {**value, random.choice((*STRANGE_TEXTS, *ATTRIBUTES)): strange(random)}
            case _:
                return {**value, key: mutated(random, value[key])}
    if isinstance(value, list) and value and random.random() < 0.9:
        place = random.randrange(len(value))
        match random.randrange(6):
            case 0:
                return value[:place] + value[place + 1 :]
            case 1:
                return value + value[place : place + 1] * random.choice((1, 5, 40))
            case _:
                return [*value[:place], mutated(random, value[place]), *value[place + 1 :]]
    return strange(random)


def spoiled(random: Random, data: bytes) -> bytes:
    """Return bytes with some of them changed, cut, added or repeated."""
    at = random.randrange(len(data) + 1)
    match random.randrange(8):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + random.randbytes(random.choice((1, 2, 9))) + data[at:]
        case 2:
            return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
        case 3:
            return data + data[:at]
        case 4:
            return random.randbytes(random.choice((0, 1, 40)))
        case 5:
            return data.decode(errors="replace").encode("utf-16")
        case 6:
            return b"\xef\xbb\xbf" + data
        case _:
            return b"[" * 3_000 + data


# -- good ones, and what becomes of them


def event(random: Random, subject: Subject, subject_id: str) -> dict[str, Any]:
    """Return a good event of a subject."""
    body: dict[str, Any] = {
        "id": f"e{random.randrange(10**9)}",
        "type": random.choice(sorted(TYPES[subject])),
        "time": NOW_MS - random.randrange(10 ** random.randrange(1, 11)),
        subject: subject_id,
    }
    for name in random.sample(sorted(ATTRIBUTES), random.randrange(5)):
        kind = ATTRIBUTES[name]
        if name in DUE_ATTRIBUTES or name.endswith("_at_ms"):
            body[name] = NOW_MS + random.randrange(-(10**8), 10**8)
        elif kind is str:
            body[name] = random.choice(("P1", "P2", "finance", "mail", "waiting_on_customer", "x"))
        elif kind is bool:
            body[name] = random.random() < 0.5
        else:
            body[name] = random.choice((0, 1, 20_000, 10**6)) if kind is int else random.random()
    return body


def good_event(random: Random, subject: Subject, subject_id: str, now_ms: int) -> Made:
    """Return the record of an event that is well."""
    first = {"ticket": "opened", "call": "queued", "outage": "started", "lead": "created"}[subject]
    body = event(random, subject, subject_id) | {"type": first, "time": now_ms - random.randrange(3_600_000)}
    return Made(subject_id.encode(), orjson.dumps(body))


def good_foreign(random: Random, mapping: str, number: int) -> Made:
    """Return the record of a foreign topic that is well and makes at least one event."""
    match mapping:
        case "jira":
            body = foreign.jira_issue_event("issue_created", NOW_MS, foreign.jira_issue(f"DESK-{number}"))
        case "zendesk":
            body = foreign.zendesk_comment(staff=True, public=True, delivery=f"01J-{number}")
        case "pbx-cdr":
            body = foreign.cdr(uniqueid=f"1767603600.{number}", linkedid=f"1767603600.{number}")
        case _:
            body = foreign.debezium("c", None, foreign.row() | {"id": number})
    return Made(b"%d" % random.randrange(9), orjson.dumps(body))


def good_alert(random: Random, agreement: str, what: str, now_ms: int) -> Made:
    """Return the record of an alert as a worker writes it. One of the day before would page nobody any more."""
    key = AlertKey("ticket", what, agreement, "first-response", 1)
    state = random.choice(STATES)
    at_ms = now_ms - random.randrange(600_000)
    labels = {"agreement": agreement, "customer": "finance"}
    return Made(*encode_alert(Alert(alert_id(key, state, "", 0), key, state, at_ms, "due", 1, labels), "fuzz"))


def good_partial(random: Random, agreement: str, number: int, now_ms: int) -> Made:
    """Return the record of a pane as a worker writes it."""
    key = PaneKey(SeriesKey(agreement, "first-response", (f"P{number}",)), "hour", now_ms - now_ms % 3_600_000)
    pane = empty_pane()
    pane.counts["met"] = random.randrange(1, 9)
    return Made(*encode_partial("tickets/0", key, pane))


# -- hostile ones


def hostile_headers(random: Random) -> Headers:
    """Return headers that nobody expects, most often none."""
    if random.random() < 0.7:
        return ()
    names = (
        "sla-marker",
        "ce_specversion",
        "ce_type",
        "ce_id",
        "ce_source",
        "ce_subject",
        "ce_time",
        "trace",
        "\ufffd",
    )
    values = (
        b"1",
        b"1.0",
        b"com.example.ticket.opened",
        b"T-1",
        b"\xff\xfe",
        b"",
        None,
        b"x" * 3_000,
        b"2026-01-05T10:00:00Z",
    )
    count = random.choice((1, 2, 7, 7, 200))
    return tuple((random.choice(names), random.choice(values)) for _ in range(count))


def hostile_key(random: Random, right: bytes | None) -> bytes | None:
    """Return a key, most often the right one."""
    if random.random() < 0.7:
        return right
    return random.choice(
        (None, b"", b"\xff", b"other", (right or b"k") + b"x", b"k" * 10_000, b"a\x1fb\x1fc", b"p", b"m")
    )


def hostile_event(random: Random, subject: Subject) -> Made:
    """Return a record of a topic of events on which something is wrong, or nothing but its meaning."""
    subject_id = random.choice(
        (f"H-{random.randrange(300)}", f"H-{random.randrange(10**6)}", random.choice(STRANGE_TEXTS))
    )
    body: Any = event(random, subject, subject_id)
    for _ in range(random.choice((0, 0, 1, 1, 2, 5))):
        body = mutated(random, body)
    if random.random() < 0.1 and isinstance(body, dict):
        envelope = {
            "specversion": "1.0",
            "source": "/x",
            "id": "e",
            "subject": subject_id,
            "time": body.get("time"),
            "type": f"com.example.{subject}.{body.get('type')}",
            "data": body,
        }
        body = mutated(random, envelope) if random.random() < 0.7 else envelope
    value: bytes | None = text_of(body)
    if random.random() < 0.1:
        value = random.choice((None, spoiled(random, value or b"")))
    right = subject_id.encode(errors="replace")
    return Made(hostile_key(random, right), value, hostile_headers(random))


def hostile_foreign(random: Random, mapping: str) -> Made:
    """Return a record of a foreign topic on which something is wrong."""
    if mapping == "jira" and random.random() < 0.5:
        body: Any = foreign.jira_updated(NOW_MS, foreign.jira_change("resolution", None, "Fixed"))
    else:
        body = orjson.loads(good_foreign(random, mapping, random.randrange(1000)).value or b"{}")
    for _ in range(random.choice((1, 1, 2, 6))):
        body = mutated(random, body)
    value = text_of(body)
    return Made(
        hostile_key(random, b"k"), spoiled(random, value) if random.random() < 0.1 else value, hostile_headers(random)
    )


def hostile_internal(random: Random, topic: str) -> Made:
    """Return a record of a topic of the monitor's own that the monitor did not write."""
    good = (
        good_alert(random, DESK, f"H-{random.randrange(99)}", NOW_MS)
        if topic == "alerts"
        else good_partial(random, DESK, 10**6 + random.randrange(99), NOW_MS)
    )
    key, value = good.key, good.value
    match random.randrange(5):
        case 0 if topic == "alerts":
            value = text_of(mutated(random, orjson.loads(value or b"{}")))
        case 0 | 1 if topic == "partials":
            whole = value or b"\x01\x90"
            fields = mutated(random, msgspec.msgpack.decode(whole[1:]))
            value = whole[:1] + msgspec.msgpack.encode(_packable(fields))
        case 2 if topic == "partials":
            key, value = encode_marker("tickets/0", random.choice((0, 1, NOW_MS)), behind=random.random() < 0.5)
        case 3:
            value = spoiled(random, value or b"")
        case _:
            key = spoiled(random, key or b"")
    if topic == "partials" and value and random.random() < 0.1:
        value = bytes([random.randrange(0x80)]) + value[1:]  # the layout of another release
    return Made(hostile_key(random, key), value if random.random() < 0.95 else None, hostile_headers(random))


def _packable(value: Any) -> Any:
    if isinstance(value, Nested):
        value = [value.depth]
    if isinstance(value, dict):
        return {str(key).encode(errors="replace").decode(): _packable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_packable(one) for one in value]
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    return value if not isinstance(value, int) or -(2**63) <= value < 2**64 else 0


DESK: Final = "it-service-desk"
DOCUMENTS: Final = [one.document for one in read_documents(AGREEMENTS)]


def hostile_followed(random: Random, topic: str) -> Made:
    """Return a record of a topic that every worker follows: agreements, responses, markers."""
    if topic == "agreements":
        body: Any = random.choice(DOCUMENTS)
        key = f"{body['agreement']}/{random.choice((1, 2, 99))}".encode()
        for _ in range(random.choice((1, 1, 2, 4))):
            body = mutated(random, body)
        value = text_of(body)
    elif topic == "responses":
        told = random.choice(
            (
                Acknowledgement(target="x", at_ms=NOW_MS),
                Enable(receiver="x", at_ms=NOW_MS),
                Resend(notice="x", at_ms=NOW_MS),
                SilenceResponse(id="s", agreement="it-service-desk", until_ms=NOW_MS, at_ms=NOW_MS, labels={"a": "b"}),
                Skip(topic="tickets", partition=1, offset=3, reason="x", at_ms=NOW_MS),
            )
        )
        key, value = encode_response(told)
        value = text_of(mutated(random, orjson.loads(value)))
    else:
        marker = SourceMarker(source="jira-webhooks/0", watermark_ms=NOW_MS, behind=random.random() < 0.5, ends={0: 5})
        key, value = encode_source_marker(marker)
        value = text_of(mutated(random, orjson.loads(value)))
    if random.random() < 0.1:
        value = spoiled(random, value)
    return Made(hostile_key(random, key), value if random.random() < 0.95 else None)


HOSTILE: Final[dict[str, Callable[[Random], Made]]] = {
    **{TOPICS[subject]: lambda random, subject=subject: hostile_event(random, subject) for subject in SUBJECTS},  # type: ignore[misc]
    **{topic: lambda random, mapping=mapping: hostile_foreign(random, mapping) for mapping, topic in FOREIGN.items()},  # type: ignore[misc]
    **{topic: lambda random, topic=topic: hostile_internal(random, topic) for topic in ("alerts", "partials")},  # type: ignore[misc]
    **{topic: lambda random, topic=topic: hostile_followed(random, topic) for topic in FOLLOWED},  # type: ignore[misc]
}
