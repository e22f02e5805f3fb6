"""Laws: whatever is told, every payload is one that its service accepts, and says the same when it is said again."""

from __future__ import annotations

import re
from typing import get_args

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from yarl import URL

from monitor.config.receivers.kinds.alertmanager import fingerprint
from monitor.config.receivers.registry import KINDS as REGISTERED
from monitor.config.receivers.registry import requests_for
from monitor.config.receivers.texts import cut, cut_apart, width
from monitor.core.paging.notices import MAX_KEY
from monitor.wire.announcements import announcement_schema
from monitor.wire.contract import CONTROL
from tests.notify.given import (
    HOSTILE,
    KINDS,
    LINK,
    NOON_MS,
    SENDER,
    all_asked,
    any_text,
    asked,
    late_ticket,
    notice,
    notices,
    receiver,
)
from tests.notify.schemas import most_bytes, schema_of

WITH_LINK = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])


def test_every_kind_of_the_registry_has_its_row_and_its_schema():
    assert sorted(REGISTERED) == KINDS
    for kind in KINDS:
        limits = most_bytes(kind), REGISTERED[kind].max_body
        assert limits[1] is None or limits[0] >= limits[1], "the service takes what the kind may send"
        assert get_args(REGISTERED[kind].settings.model_fields["kind"].annotation) == (kind,)


def valid(schema, body):
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(orjson.loads(body))


@pytest.mark.parametrize("kind", KINDS)
@WITH_LINK
@given(told=notices())
@example(told=notice("trigger", *[late_ticket(what=text) for text in HOSTILE] * 50, title=HOSTILE[1]))
@example(told=notice("resolve", *[late_ticket("voided", what=text) for text in HOSTILE], key=HOSTILE[1][:255]))
@example(told=notice("update")._replace(alerts=(), is_test=True))
def test_every_payload_is_valid_and_within_the_limits(kind, told):
    found = all_asked(kind, told, link=LINK)

    for request in found:
        valid(schema_of(kind, told, request), request.body)
        for limit in (most_bytes(kind), REGISTERED[kind].max_body):
            assert limit is None or len(request.body) <= limit
        assert all(value.isascii() and value.isprintable() for value in request.headers.values())
        assert str(URL(request.url, encoded=True)) == request.url
        assert request.url.isascii()
    assert all_asked(kind, told, link=LINK) == found, "the same attempt says the same"


def texts_of(told, name=""):
    """Every text of a payload that people see; keys and the data of generic receivers are for machines."""
    if isinstance(told, dict):
        for key, value in told.items():
            if key not in ("dedup_key", "groupKey", "alias", "alerts" if "alerts_total" in told else ""):
                yield from texts_of(value, key)
    elif isinstance(told, list):
        for value in told:
            yield from texts_of(value, name)
    elif isinstance(told, str):
        # Opsgenie's descriptions and notes have lines.
        yield told.replace("\n", " ") if name in ("description", "note") else told


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ["trigger", "update", "resolve"])
def test_no_receiver_is_shown_what_changes_the_text_around_it(kind, action):
    hostile = "M\x81ller\x9b31m\u2028\u202e\u2066gpj.exe"
    alert = late_ticket(labels={"customer": hostile, "team": hostile}, details=(("agent", hostile), ("team", hostile)))
    objective = alert._replace(key=alert.key._replace(kind="objective", what=f"{hostile}|month|2026-11-01"))
    for request in all_asked(kind, notice(action, alert, objective, title=f"late for {hostile}"), link=LINK):
        body = orjson.loads(request.body)
        if kind == "generic":
            body = {"title": body["data"]["title"]}
        for text in texts_of(body):
            assert not re.search(CONTROL, text), text
        if action == "trigger":
            assert r"M\x81ller" in "".join(texts_of(body))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_tells_instants_in_the_zone_of_the_agreement(kind):
    sender = SENDER._replace(zone="Asia/Tokyo")
    requests = [
        one for action in ("trigger", "update", "resolve")
        for one in requests_for(receiver(kind), notice(action, late_ticket("breached")), sender, NOON_MS)
    ]  # fmt: skip
    told = [one.body.decode() for one in requests if "2026-03-02 " in one.body.decode()]
    assert told
    for body in told:
        assert "2026-03-02 20:30 JST" in body
        assert "UTC" not in body


@WITH_LINK
@given(told=notices())
def test_what_generic_receivers_get_is_as_its_published_schema_says(told):
    valid(announcement_schema("notice"), asked("generic", told, link=LINK).body)


@WITH_LINK
@given(told=notices())
def test_trigger_update_and_resolve_have_one_key_and_the_same_labels(told):
    steps = [told._replace(action=action, is_repeat=False) for action in ("trigger", "update", "resolve")]
    # What may change in an alert's life: everything but its key and its labels.
    ended = [one._replace(state="resolved", reason="stopped", at_ms=NOON_MS, details=()) for one in told.alerts]
    steps[2] = steps[2]._replace(alerts=tuple(ended), title="over", severity="info", at_ms=NOON_MS)
    bodies = {kind: [orjson.loads(asked(kind, step).body) for step in steps] for kind in KINDS}

    assert len({body["dedup_key"] for body in bodies["pagerduty"]}) == 1
    assert all(width(body["dedup_key"]) <= MAX_KEY for body in bodies["pagerduty"])
    assert len({body["subject"] for body in bodies["generic"]}) == 1
    assert len({body["groupKey"] for body in bodies["alertmanager"]}) == 1
    alias = bodies["opsgenie"][0]["alias"]
    for step in steps[1:]:
        assert URL(asked("opsgenie", step).url, encoded=True).parts[-2] == alias
    first, *others = [[alert["labels"] for alert in body] for body in bodies["alertmanager_api"]]
    assert all(other == first for other in others)


@given(text=any_text)
def test_what_is_cut_is_a_line_of_the_length_that_is_allowed(text):
    for limit in (1, 2, 10, 130):
        line = cut(text, limit)
        assert width(line) <= limit
        assert line.isprintable() or set(line) & {"\u202e", "\xad"} or not line.isascii()
        assert "\n" not in line
        assert not re.search(CONTROL, line)


@given(one=any_text, other=any_text)
def test_what_identifies_still_does_so_after_it_is_cut(one, other):
    cuts = cut_apart(one * 40, 255), cut_apart(other * 40, 255)
    assert (cuts[0] == cuts[1]) == (one * 40 == other * 40)
    assert max(width(cut) for cut in cuts) <= 255


@given(labels=st.dictionaries(any_text, any_text, max_size=4))
def test_a_fingerprint_does_not_depend_on_the_order_of_the_labels(labels):
    assert fingerprint(labels) == fingerprint(dict(reversed(labels.items())))
