"""What each receiver is told, word for word: a ticket is late, more of it follows, it is done."""

from __future__ import annotations

import base64

import orjson
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from monitor.config.receivers.kinds.generic import signatures
from tests.notify.given import (
    KINDS,
    LINK,
    NOON_MS,
    OLD_SECRET,
    ROUTING_KEY,
    SECRET,
    all_asked,
    asked,
    late_ticket,
    missed_objective,
    notice,
    payload,
    texts_of_card,
)

SUMMARY = (
    "Ticket T-17 missed resolution: 4 h were allowed, due 2026-03-02 11:30 UTC"
    " (agreement desk version 3, customer Ex & Co <x>, priority P1)."
)
ABOUT = {
    "summary": SUMMARY,
    "due": "2026-03-02 11:30 UTC",
    "elapsed": "4 h of 4 h",
    "remaining": "0 s",
    "state": "breached",
    "reason": "due",
}
TOLD = {
    **ABOUT,
    "agreement": "desk version 3",
    "promise": "resolution",
    "ticket": "T-17",
    "key": "ticket/T-17/desk/resolution/1",
    "customer": "Ex & Co <x>",
    "priority": "P1",
}


class TestGeneric:
    def test_it_is_a_cloud_event_with_the_announcements(self):
        request = asked("generic", notice("trigger", late_ticket(), missed_objective()), link=LINK)
        event = orjson.loads(request.body)
        alerts = event["data"].pop("alerts")

        assert event == {
            "specversion": "1.0",
            "id": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "source": "sla-monitor",
            "type": "sla.notice.trigger",
            "subject": "desk/2026-03-02/7",
            "time": "2026-03-02T12:00:00.000Z",
            "datacontenttype": "application/json",
            "data": {
                "key": "desk/2026-03-02/7",
                "action": "trigger",
                "severity": "critical",
                "title": "Ticket T-17 missed resolution",
                "at": "2026-03-02T12:00:00.000Z",
                "at_ms": NOON_MS,
                "step": 0,
                "test": False,
                "receiver": "pager",
                "link": LINK,
                "alerts_total": 2,
            },
        }
        assert [(one["type"], one["id"], one["data"]["key"]) for one in alerts] == [
            ("sla.alert.breached", "alert-breached-T-17", "ticket/T-17/desk/resolution/1"),
            ("sla.alert.at_risk", "alert-at_risk-objective", "objective/Mail%2F30d/desk/in-time/1"),
        ]
        assert (request.method, request.url) == ("POST", "https://desk.example/hook?team=1")
        assert request.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"

    def test_the_signature_is_that_of_the_specification(self):
        # The example that the standard's libraries test with.
        key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

        found = signatures([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')

        assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    @pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
    def test_the_library_of_the_standard_verifies_each_secret(self, secret, monkeypatch):
        request = asked("generic", notice(title='Ünïcode "quoted" \U0001f525'), now_ms=NOON_MS)
        self.stop_the_clock(monkeypatch)

        assert Webhook(secret).verify(request.body, request.headers)["id"] == request.headers["webhook-id"]
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(request.body.replace(b"critical", b"info"), request.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(request.body, {**request.headers, "webhook-id": "another"})

    def test_another_attempt_has_its_own_time_and_the_same_id_and_body(self):
        one, later = asked("generic", notice()), asked("generic", notice(), now_ms=NOON_MS + 60_000)

        assert later.body == one.body
        assert later.headers["webhook-id"] == one.headers["webhook-id"]
        assert int(later.headers["webhook-timestamp"]) == NOON_MS // 1000 + 60
        assert later.headers["webhook-signature"] != one.headers["webhook-signature"]

    def test_gateways_get_the_headers_that_they_want(self):
        request = asked("generic", notice(), authorization="Bearer abc", headers={"X-Tenant": "noc"})

        assert (request.headers["Authorization"], request.headers["X-Tenant"]) == ("Bearer abc", "noc")

    @staticmethod
    def stop_the_clock(monkeypatch):
        import standardwebhooks.webhooks as library  # noqa: PLC0415 - its clock is what is stopped

        class Stopped(library.datetime):
            @classmethod
            def now(cls, tz=None):
                return cls.fromtimestamp(NOON_MS / 1000, tz)

        monkeypatch.setattr(library, "datetime", Stopped)


class TestAlertmanager:
    def test_it_is_what_alertmanager_would_post(self):
        told = payload("alertmanager", notice("trigger", late_ticket(), missed_objective()), link=LINK)
        (ticket, objective) = told.pop("alerts")

        labels = {"page": "desk/2026-03-02/7", "agreement": "desk", "cycle": "1"}
        assert told == {
            "version": "4",
            "groupKey": "desk/2026-03-02/7",
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "pager",
            "groupLabels": {"page": "desk/2026-03-02/7"},
            "commonLabels": labels,
            "commonAnnotations": {
                "agreement": "desk version 3",
                "page": "desk/2026-03-02/7",
                "title": "Ticket T-17 missed resolution",
                "action": "trigger",
            },
            "externalURL": LINK,
        }
        assert ticket["labels"] == {
            **labels,
            "alertname": "SLATicket",
            "customer": "Ex & Co <x>",
            "kind": "ticket",
            "promise": "resolution",
            "subject": "ticket",
            "what": "T-17",
        }
        assert ticket["annotations"] == TOLD | told["commonAnnotations"] | {"severity": "critical"}
        assert (ticket["status"], ticket["startsAt"], ticket["endsAt"]) == (
            "firing",
            "2026-03-02T11:30:00.000Z",
            "0001-01-01T00:00:00Z",
        )
        assert (objective["labels"]["alertname"], objective["annotations"]["severity"]) == ("SLAObjective", "warning")

    def test_one_that_ended_is_resolved_while_its_page_goes_on(self):
        told = payload("alertmanager", notice("update", late_ticket(), late_ticket("voided", "T-18")))

        assert [one["status"] for one in told["alerts"]] == ["firing", "resolved"]
        assert told["status"] == "firing"
        assert told["alerts"][1]["endsAt"] == "2026-03-02T11:30:00.000Z"

    def test_the_end_of_a_page_resolves_all_of_it(self):
        told = payload("alertmanager", notice("resolve", late_ticket("resolved"), late_ticket()))

        assert [told["status"], *(one["status"] for one in told["alerts"])] == ["resolved"] * 3

    def test_a_storm_is_cut_and_counted(self):
        told = payload("alertmanager", notice("trigger", *(late_ticket(what=f"T-{one}") for one in range(5_000))))

        assert len(told["alerts"]) + told["truncatedAlerts"] == 5_000
        assert 100 < len(told["alerts"]) <= 500


class TestAlertmanagerApi:
    def test_an_alert_lasts_until_it_is_ended(self):
        firing, over = (
            payload("alertmanager_api", notice(action), labels={"team": "noc"})[0] for action in ("trigger", "resolve")
        )

        assert firing["labels"] == over["labels"]
        assert firing["labels"]["team"] == "noc"
        assert "severity" not in firing["labels"]
        assert firing["annotations"]["severity"] == "critical"
        assert (firing["startsAt"], firing["endsAt"]) == ("2026-03-02T11:30:00.000Z", "2026-03-09T12:00:01.500Z")
        assert (over["startsAt"], over["endsAt"]) == ("2026-03-02T11:30:00.000Z", "2026-03-02T11:30:00.000Z")
        assert asked("alertmanager_api", notice()).url == "http://alertmanager.example:9093/api/v2/alerts"

    def test_nothing_is_left_out_of_a_storm(self):
        alerts = [late_ticket(what=f"T-{one}") for one in range(3_000)]

        assert len(payload("alertmanager_api", notice("trigger", *alerts))) == 3_000

    def test_what_begins_in_the_future_of_this_machine_begins_now(self):
        (one,) = payload("alertmanager_api", notice("trigger", late_ticket(at_ms=NOON_MS + 3_600_000)))

        assert one["startsAt"] == "2026-03-02T12:00:01.500Z"

    def test_a_test_ends_by_itself(self):
        (one,) = payload("alertmanager_api", notice()._replace(alerts=(), is_test=True))

        assert one["labels"] == {"alertname": "SLATest", "key": "desk/2026-03-02/7"}
        assert one["endsAt"] == "2026-03-02T12:05:01.500Z"


class TestPagerDuty:
    def test_a_trigger_tells_what_is_late(self):
        request = asked("pagerduty", notice(), link=LINK)

        assert request.url == "https://events.pagerduty.com/v2/enqueue"
        assert orjson.loads(request.body) == {
            "routing_key": ROUTING_KEY,
            "event_action": "trigger",
            "dedup_key": "desk/2026-03-02/7",
            "client": "sla-monitor",
            "client_url": LINK,
            "links": [{"href": LINK, "text": "Dashboards"}],
            "payload": {
                "summary": "Ticket T-17 missed resolution",
                "timestamp": "2026-03-02T12:00:00.000Z",
                "severity": "critical",
                "source": "sla-monitor",
                "component": "resolution",
                "group": "desk",
                "class": "ticket",
                "custom_details": {
                    "action": "trigger",
                    "escalation_step": 0,
                    "notice": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                    "alerts_total": 1,
                    "alerts": [TOLD],
                },
            },
        }

    def test_an_update_triggers_on_the_same_key_and_a_resolve_ends_it(self):
        update, resolve = payload("pagerduty", notice("update")), payload("pagerduty", notice("resolve"))

        assert (update["event_action"], update["dedup_key"]) == ("trigger", "desk/2026-03-02/7")
        assert resolve == {
            "routing_key": ROUTING_KEY,
            "event_action": "resolve",
            "dedup_key": "desk/2026-03-02/7",
        }


class TestOpsgenie:
    def test_a_trigger_creates_an_alert(self):
        request = asked("opsgenie", notice("trigger", late_ticket(), missed_objective()))
        told = orjson.loads(request.body)

        assert (request.url, request.headers["Authorization"]) == (
            "https://api.opsgenie.com/v2/alerts",
            "GenieKey genie-0123456789",
        )
        assert told.pop("description").split("\n")[:2] == ["Ticket T-17 missed resolution", f"• {SUMMARY}"]
        assert told == {
            "message": "Ticket T-17 missed resolution",
            "alias": "desk/2026-03-02/7",
            "responders": [{"type": "team", "name": "Service desk"}],
            "tags": ["sla"],
            "details": {
                "notice": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                "severity": "critical",
                "step": "0",
                "alerts": "2",
                **TOLD,
            },
            "entity": "desk/resolution",
            "priority": "P1",
            "source": "sla-monitor",
        }

    def test_what_follows_sets_the_priority_and_adds_a_note_and_the_end_closes_it(self):
        priority, update = all_asked("opsgenie", notice("update"))
        (resolve,) = all_asked("opsgenie", notice("resolve", title="All is well"))
        alert = "https://api.opsgenie.com/v2/alerts/desk%2F2026-03-02%2F7"

        assert (priority.method, priority.url) == ("PUT", f"{alert}/priority?identifierType=alias")
        assert orjson.loads(priority.body) == {"priority": "P1"}
        assert update.url == f"{alert}/notes?identifierType=alias"
        assert resolve.url == f"{alert}/close?identifierType=alias"
        assert orjson.loads(resolve.body)["note"].split("\n")[0] == "All is well (info)"

    def test_a_storm_is_cut_and_counted(self):
        told = payload("opsgenie", notice("trigger", *[late_ticket()] * 1_000))

        assert told["description"].split("\n")[-1].startswith("… and 893")


class TestSlack:
    def test_a_message_shows_the_title_and_each_alert(self):
        request = asked("slack", notice("trigger", late_ticket(), missed_objective(), step=2), link=LINK)
        told = orjson.loads(request.body)
        (title, ticket, objective, context) = told["blocks"]

        assert request.url == "https://hooks.slack.com/services/T0/B0/s3cr3tpath"
        assert "Authorization" not in request.headers
        assert told["text"] == "Ticket T-17 missed resolution (trigger, critical)"
        assert title["text"]["text"] == ":red_circle: *Ticket T-17 missed resolution*"
        assert "customer Ex &amp; Co &lt;x&gt;, priority P1" in ticket["text"]["text"]
        assert objective["text"]["text"].startswith(":large_orange_circle: compliance of resolution for customer Mail")
        assert [one["text"] for one in context["elements"]] == [
            "trigger, critical, step 2",
            "page desk/2026-03-02/7",
            "from sla-monitor",
            "<https://grafana.example/d/sla?var-a=1&amp;b=2|Dashboards>",
        ]

    def test_a_bot_posts_to_its_channel(self):
        request = asked("slack", notice("resolve"), url=None, token="xoxb-1", channel="#desk")
        told = orjson.loads(request.body)

        assert (request.url, request.headers["Authorization"]) == (
            "https://slack.com/api/chat.postMessage",
            "Bearer xoxb-1",
        )
        assert told["channel"] == "#desk"
        assert told["blocks"][0]["text"]["text"].startswith(":white_check_mark: ")

    def test_a_storm_is_cut_and_counted(self):
        told = payload("slack", notice("trigger", *(late_ticket(what=f"T-{one}") for one in range(1_000))))

        assert told["blocks"][-2]["text"]["text"] == "… and 980 more"


class TestTeams:
    def test_a_card_shows_the_title_and_each_alert_as_plain_text(self):
        request = asked("teams", notice("trigger", late_ticket(), missed_objective(), step=2), link=LINK)
        message = orjson.loads(request.body)
        card = message["attachments"][0]["content"]
        title, ticket, objective, context = texts_of_card(message)

        assert request.url.startswith("https://prod-01.westeurope.logic.azure.com/workflows/")
        assert request.headers == {"Content-Type": "application/json"}
        assert title == "🔴 Ticket T-17 missed resolution"
        assert card["body"][0]["inlines"][0]["color"] == "Attention"
        assert ticket == f"🔴 {SUMMARY}"
        assert objective.startswith("🟠 compliance of resolution for customer Mail")
        assert context == "trigger, critical, step 2 · page desk/2026-03-02/7 · from sla-monitor"
        assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Dashboards", "url": LINK}]
        assert card["fallbackText"] == "Ticket T-17 missed resolution"
        assert {block["type"] for block in card["body"]} == {"RichTextBlock"}, "text runs know no Markdown"

    def test_what_follows_and_the_end_are_cards_of_their_own(self):
        update, resolve = payload("teams", notice("update")), payload("teams", notice("resolve", title="All is well"))

        assert texts_of_card(update)[-1].startswith("update, critical · page desk/2026-03-02/7")
        assert texts_of_card(resolve)[0] == "✅ All is well"
        assert texts_of_card(resolve)[-1].startswith("resolve, info · page desk/2026-03-02/7")

    def test_a_storm_is_cut_and_counted(self):
        told = payload("teams", notice("trigger", *(late_ticket(what=f"T-{one}") for one in range(1_000))))

        assert texts_of_card(told)[-2] == "… and 980 more"

    def test_a_message_of_long_texts_stays_below_28_kilobytes_however_they_are_counted(self):
        body = asked("teams", notice("trigger", *[late_ticket(what="日本語 🔥" * 300)] * 50)).body

        assert len(body.decode().encode("utf-16-le")) <= 28_000
        assert "… and" in texts_of_card(orjson.loads(body))[-2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_test_says_so(kind):
    assert b"test" in asked(kind, notice()._replace(alerts=(), is_test=True, title="Harmless")).body.lower()
