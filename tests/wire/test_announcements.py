"""Alerts, status and statements: CloudEvents that their published schemas accept and consumers read back."""

import orjson
import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from monitor.core.alerts.alert import Alert, AlertKey, alert_id
from monitor.errors import DecodeError
from monitor.wire.announcements import (
    announcement_schema,
    decode_alert,
    decode_statement,
    decode_status,
    encode_alert,
    encode_statement,
    encode_status,
)
from tests.wire import strategies
from tests.wire.test_wording import CLOCK, OBJECTIVE

SCHEMAS = {kind: Draft202012Validator(announcement_schema(kind)) for kind in ("alert", "status", "statement")}
CLOUDEVENT = ("specversion", "id", "source", "type")


def body(record):
    return orjson.loads(record[1])


class TestAlerts:
    @given(strategies.alerts())
    def test_an_alert_is_read_as_it_was_announced(self, alert):
        assert decode_alert(encode_alert(alert, "sla-monitor")[1]) == alert

    @given(strategies.alerts())
    def test_the_schema_accepts_every_alert(self, alert):
        SCHEMAS["alert"].validate(body(encode_alert(alert, "sla-monitor")))

    def test_it_is_a_cloudevent_whose_id_is_the_alerts_own(self):
        key, value = encode_alert(CLOCK, "sla-monitor")
        envelope = orjson.loads(value)

        assert [envelope[name] for name in CLOUDEVENT] == ["1.0", CLOCK.id, "sla-monitor", "sla.alert.at_risk"]
        assert envelope["subject"].encode() == key == b"ticket/T-17/it-desk/first_response/1"
        assert envelope["time"] == envelope["data"]["at"] == "2026-11-23T13:00:00.000Z"

    def test_the_data_say_what_machines_and_people_need(self):
        data = body(encode_alert(CLOCK, "sla-monitor"))["data"]

        assert data["state"] == "at_risk"
        assert data["reason"] == "elapsed_75"
        assert (data["agreement"], data["version"], data["promise"]) == ("it-desk", 3, "first_response")
        assert (data["due"], data["due_ms"] - data["at_ms"]) == ("2026-11-23T13:15:00.000Z", 15 * 60_000)
        assert (data["budget_ms"], data["elapsed_ms"], data["backfill"]) == (3_600_000, 2_700_000, False)
        assert data["annotations"]["summary"].startswith("Ticket T-17 is about to miss first_response: 15 min left")
        assert data["details"] == {"priority": "P1", "team": ""}

    def test_an_alert_of_a_clock_has_no_value_and_one_of_an_objective_no_due_instant(self):
        clock, objective = (body(encode_alert(one, "x"))["data"] for one in (CLOCK, OBJECTIVE))

        assert not {"value", "target", "numerator", "denominator", "indicator"} & set(clock)
        assert not {"due", "due_ms", "start", "budget_ms", "elapsed_ms"} & set(objective)
        assert objective["value"] == 27 / 29

    def test_labels_hold_nothing_that_changes_during_the_alerts_life(self):
        later = CLOCK._replace(state="breached", reason="due", at_ms=CLOCK.at_ms + 900_000, elapsed_ms=3_600_000)

        assert body(encode_alert(CLOCK, "x"))["data"]["labels"] == body(encode_alert(later, "x"))["data"]["labels"]
        assert encode_alert(CLOCK, "x")[0] == encode_alert(later, "x")[0]

    @pytest.mark.parametrize("what", ['a/b"c', "🏦%2F", "x" * 512, "=1+1\\"])
    def test_odd_subjects_come_through(self, what):
        key = AlertKey("ticket", what, "it-desk", "first_response", 1)
        alert = Alert(alert_id(key, "breached", "", 0), key, "breached", 0, "due", 1, {"customer": what})

        encoded_key, value = encode_alert(alert, "x")

        assert decode_alert(value) == alert
        assert encoded_key.count(b"/") == 4

    def test_a_field_that_a_newer_release_added_does_not_disturb(self):
        envelope = body(encode_alert(CLOCK, "x"))
        envelope["traceparent"] = "00-1"
        envelope["data"]["ticket_url"] = "https://example.org"

        assert decode_alert(orjson.dumps(envelope)) == CLOCK

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (None, "tombstone"),
            (b"", "bad_json"),
            (b"\xff", "bad_json"),
            (b'{"id":"\xff"}', "bad_json"),
            (b"[]", "wrong_type"),
            (b"{}", "wrong_type"),
            (b'{"unknown":' + b"[" * 99_999, "bad_json"),
        ],
    )
    def test_what_is_no_alert_is_refused(self, value, reason):
        with pytest.raises(DecodeError) as caught:
            decode_alert(value)

        assert caught.value.reason == reason

    @pytest.mark.parametrize("number", ["-9223372036854775809", "18446744073709551616", "1" + "0" * 400])
    @pytest.mark.parametrize("field", ["version", "cycle", "at_ms", "due_ms", "elapsed_ms"])
    def test_a_number_that_no_row_takes_is_refused(self, field, number):
        envelope = body(encode_alert(CLOCK, "x"))
        envelope["data"][field] = 4711

        with pytest.raises(DecodeError, match=f"wrong_type.*{field}"):
            decode_alert(orjson.dumps(envelope).replace(b":4711", b":" + number.encode()))

    def test_a_state_that_does_not_exist_is_refused(self):
        value = encode_alert(CLOCK, "x")[1].replace(b'"at_risk"', b'"worried"')

        with pytest.raises(DecodeError, match="wrong_type"):
            decode_alert(value)
        assert not SCHEMAS["alert"].is_valid(orjson.loads(value))


class TestStatus:
    @given(strategies.statuses)
    def test_a_status_is_read_as_it_was_told_and_its_schema_accepts_it(self, status):
        record = encode_status(status, "sla-monitor")

        assert decode_status(record[1]) == status
        SCHEMAS["status"].validate(body(record))

    @given(strategies.statuses)
    def test_a_statement_is_read_as_it_was_made_and_its_schema_accepts_it(self, status):
        record = encode_statement(status._replace(closed=True), "sla-monitor")

        assert decode_statement(record[1]) == status._replace(closed=True)
        SCHEMAS["statement"].validate(body(record))

    @given(strategies.statuses, strategies.statuses)
    def test_series_and_window_share_a_key_only_with_themselves(self, one, other):
        same = (one.series, one.window) == (other.series, other.window)

        assert (encode_status(one, "x")[0] == encode_status(other, "x")[0]) == same

    @given(strategies.statuses)
    def test_the_next_status_replaces_the_one_before(self, status):
        later = status._replace(as_of_ms=status.as_of_ms + 1)

        assert encode_status(later, "x")[0] == encode_status(status, "x")[0]
        assert body(encode_status(later, "x"))["id"] != body(encode_status(status, "x"))["id"]

    @given(strategies.statuses)
    def test_each_period_has_its_own_statement_and_the_same_one_each_time(self, status):
        status = status._replace(closed=True)
        following = status._replace(from_ms=status.from_ms + 86_400_000)

        assert encode_statement(following, "x")[0] != encode_statement(status, "x")[0]
        again = body(encode_statement(status._replace(as_of_ms=1), "x"))
        assert again["id"] == body(encode_statement(status, "x"))["id"]

    @given(strategies.statuses)
    def test_an_open_period_has_no_statement(self, status):
        with pytest.raises(ValueError, match="closed period"):
            encode_statement(status._replace(closed=False), "x")

    @given(strategies.statuses)
    def test_one_kind_is_not_taken_for_another(self, status):
        value = encode_status(status._replace(closed=True), "x")[1]

        with pytest.raises(DecodeError):
            decode_statement(value)
        with pytest.raises(DecodeError):
            decode_alert(value)
        assert not SCHEMAS["statement"].is_valid(orjson.loads(value))


@pytest.mark.parametrize("kind", ["alert", "status", "statement"])
def test_the_published_schemas_are_schemas_and_refuse_an_empty_object(kind):
    Draft202012Validator.check_schema(announcement_schema(kind))

    assert not SCHEMAS[kind].is_valid({})
