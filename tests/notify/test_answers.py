"""What answers mean: delivered, again, gone, or somebody must mend something."""

from __future__ import annotations

import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.receivers.base import secrets_of
from monitor.config.receivers.registry import reading_of
from monitor.config.receivers.requests import Answer
from monitor.core.paging.notices import Outcome
from monitor.notify.answers import LONGEST_RETRY_AFTER_MS, outcome
from tests.notify.given import KINDS, NOON_MS, ROUTING_KEY, ROWS, SECRET, receiver


def read(kind, status, body=b"", retry_after=None, **changes):
    to = receiver(kind, **changes)
    return outcome(Answer(status, body, retry_after), reading_of(to), secrets_of(to), NOON_MS)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, "delivered"),
        (202, "delivered"),
        (204, "delivered"),
        (100, "retry"),
        (301, "retry"),
        (304, "retry"),
        (400, "rejected"),
        (401, "misconfigured"),
        (402, "retry"),
        (403, "misconfigured"),
        (404, "retry"),
        (405, "retry"),
        (408, "retry"),
        (409, "retry"),
        (410, "gone"),
        (413, "rejected"),
        (422, "rejected"),
        (425, "retry"),
        (429, "retry"),
        (500, "retry"),
        (503, "retry"),
        (599, "retry"),
    ],
)
def test_the_status_decides(status, kind):
    assert read("generic", status)[:2] == (kind, status)


@pytest.mark.parametrize(
    ("kind", "changes", "status", "body", "expected"),
    [
        ("pagerduty", {}, 202, b'{"status":"success","message":"Event processed","dedup_key":"x"}', "delivered"),
        ("pagerduty", {}, 200, b"<html>Please log in</html>", "retry"),
        ("pagerduty", {}, 400, b'{"status":"invalid event","message":"Event object is invalid"}', "rejected"),
        ("opsgenie", {}, 202, b'{"result":"Request will be processed","took":0.3,"requestId":"43"}', "delivered"),
        ("opsgenie", {}, 200, b"<html>Please log in</html>", "retry"),
        ("slack", {}, 200, b"ok", "delivered"),
        ("slack", {}, 200, b"<html>Please log in</html>", "retry"),
        ("slack", {}, 410, b"channel_is_archived", "gone"),
        ("slack", {}, 404, b"no_service", "retry"),
        ("slack", {"token": "xoxb", "channel": "c"}, 200, b'{"ok":true,"ts":"1.2"}', "delivered"),
        ("slack", {"token": "xoxb", "channel": "c"}, 200, b'{"ok":false,"error":"channel_not_found"}', "misconfigured"),
        ("slack", {"token": "xoxb", "channel": "c"}, 200, b'{"ok":false,"error":"invalid_auth"}', "misconfigured"),
        ("slack", {"token": "xoxb", "channel": "c"}, 200, b'{"ok":false,"error":"invalid_blocks"}', "rejected"),
        ("slack", {"token": "xoxb", "channel": "c"}, 200, b'{"ok":false,"error":"never heard of"}', "retry"),
        ("slack", {"token": "xoxb", "channel": "c"}, 200, b'{"ok":false,"error":[]}', "retry"),
        ("slack", {"token": "xoxb", "channel": "c"}, 200, b'{"ok":false,"error":"internal_error"}', "retry"),
        ("teams", {}, 202, b"", "delivered"),
        ("teams", {}, 200, b"", "delivered"),
        ("teams", {}, 200, b"1", "delivered"),
        ("teams", {}, 200, b"Webhook message delivery failed with error: HTTP error 429", "retry"),
        ("teams", {}, 200, b"<html>Please log in</html>", "retry"),
        ("teams", {}, 400, b'{"error":{"code":"TriggerInputSchemaMismatch","message":"no"}}', "rejected"),
        ("teams", {}, 401, b'{"error":{"code":"DirectApiAuthorizationRequired"}}', "misconfigured"),
        ("teams", {}, 404, b'{"error":{"code":"WorkflowNotFound"}}', "retry"),
        ("teams", {}, 413, b"", "rejected"),
        ("teams", {}, 429, b'{"error":{"code":"WorkflowTriggerIsThrottled"}}', "retry"),
        ("alertmanager_api", {}, 200, b"", "delivered"),
        ("alertmanager_api", {}, 400, b'{"code":601,"message":"startsAt in body must be a date"}', "rejected"),
    ],
)
def test_services_have_words_of_their_own_for_success(kind, changes, status, body, expected):
    assert read(kind, status, body, **changes).kind == expected


@pytest.mark.parametrize("kind", KINDS)
def test_every_service_has_an_answer_that_means_delivered(kind):
    assert read(kind, *ROWS[kind].accepted).kind == "delivered"


def test_the_reason_is_told():
    body = orjson.dumps({"status": "invalid event", "message": "Event object is invalid", "errors": ["key is short"]})

    assert read("pagerduty", 400, body).detail == "400: Event object is invalid; key is short; invalid event"
    assert read("slack", 404, b"no_service").detail == "404: no_service"
    assert read("alertmanager_api", 400, b'"bad\\n label"').detail == "400: bad label"
    assert read("generic", 403, b"<html><body>No\x1b entry</body></html>").detail == "403: No entry"
    assert read("generic", 500).detail == "500"
    assert read("generic", 500, b"\xff\xfe" * 4_000).detail.endswith("…")


def test_a_redirect_tells_who_must_act_and_not_where_it_leads():
    assert read("generic", 302, b"see https://elsewhere.example/x").detail == (
        "302: sends elsewhere, which is not followed; write the new address into the settings"
    )


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("pagerduty", {}, f"no service for {ROUTING_KEY} at https://events.pagerduty.com/v2/enqueue?a=b"),
        ("generic", {}, f"wrong secret {SECRET}, {SECRET.removeprefix('whsec_')}"),
        ("generic", {"authorization": "Bearer abcdefgh", "headers": {"X-Key": "hijklmno"}}, "abcdefgh and hijklmno"),
        ("generic", {"url": "https://a.example/t0p5ecret?token=ijklmnop"}, "t0p5ecret or ijklmnop of a.example"),
        ("slack", {}, "/services/T0/B0/s3cr3tpath is unknown"),
        ("teams", {}, "the signature s3cr3ts1g of /workflows/f10w is wrong"),
        ("opsgenie", {}, '{"message":"Key format is not valid: genie-0123456789"}'),
    ],
)
def test_secrets_and_links_are_not_told(kind, changes, said):
    detail = read(kind, 400, said.encode(), **changes).detail

    for secret in (
        ROUTING_KEY,
        SECRET[6:],
        "://",
        "abcdefgh",
        "hijklmno",
        "t0p5ecret",
        "ijklmnop",
        "s3cr3tpath",
        "s3cr3ts1g",
        "genie-",
    ):
        assert secret not in detail
    assert "…" in detail


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"authorization": "Basic bWU6b3BlbiBzZXNhbWU="}, "the password open sesame is wrong"),
        ({"authorization": "Basic bWU6b3BlbiBzZXNhbWU="}, "bWU6b3BlbiBzZXNhbWU= is wrong"),
        ({"proxy": "http://me:open%20sesame@proxy:3128"}, "the password open sesame is wrong"),
        ({"proxy": "http://me:opensesame@proxy:3128"}, "Proxy-Authorization: Basic bWU6b3BlbnNlc2FtZQ=="),
        ({"url": "https://desk.example/hook?token=open%2Fsesame"}, "no such token: open/sesame"),
    ],
)
def test_a_secret_that_is_said_back_decoded_is_not_told_either(changes, said):
    detail = read("generic", 400, said.encode(), **{"insecure": True, **changes}).detail

    for secret in ("sesame", "open/", "bWU6", "b3Blb"):
        assert secret not in detail


@pytest.mark.parametrize(
    ("header", "wait_ms"),
    [
        (None, None),
        ("120", 120_000),
        (" 0 ", 0),
        ("86400", LONGEST_RETRY_AFTER_MS),
        ("9" * 5_000, LONGEST_RETRY_AFTER_MS),
        ("Mon, 02 Mar 2026 12:00:30 GMT", 30_000),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0),
        ("Mon, 02 Mar 2099 11:00:00 GMT", LONGEST_RETRY_AFTER_MS),
        ("Monday, 02-Mar-26 12:00:30 GMT", 30_000),
        ("Mon, 02 Mar 2026 12:00:30 -0000", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("²", None),
        # what a hostile or broken receiver writes: never an exception
        ("Mon, 02 Mar 9999 11:00:00 GMT", LONGEST_RETRY_AFTER_MS),
        ("Mon, 02 Mar 9999 23:59:59 -2359", LONGEST_RETRY_AFTER_MS),
        ("Mon, 02 Mar 99999 11:00:00 GMT", None),
        (f"Mon, 02 Mar {'9' * 30} 11:00 GMT", None),
        (f"Mon, 02 Mar 2026 {'9' * 25}:00 GMT", None),
        ("Mon, 02 Mar 2026 11:00:00 +999999999", None),
        (f"Mon, 02 Mar 2026 11:00:00 +{'9' * 30}", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0),
        ("Mon, 02 Mar 2026 12:00:30 GMT" + " " * 8_000 + "x", 30_000),
        ("1 " * 4_000, None),
    ],
)
def test_what_a_receiver_asks_for_is_kept_up_to_an_hour(header, wait_ms):
    assert read("generic", 429, retry_after=header) == Outcome("retry", 429, "429", wait_ms)
    assert read("generic", 400, retry_after=header).retry_after_ms is None


@pytest.mark.parametrize(
    "body",
    [
        b"<" * (16 << 10),
        b"<a" * (8 << 10),
        b"a." * (8 << 10),
        b"a" * (16 << 10),
        b"a://" * (4 << 10),
        b"a:/ " * (4 << 10),
        b"\x00 " * (8 << 10),
        b"&" * (16 << 10),
        b"[" * (16 << 10),
        b'{"message":' * (1 << 10),
        orjson.dumps(["<" * 7_000, "a." * 4_000]),
        b"\xf0" * (16 << 10),
    ],
    ids=lambda body: repr(body[:6]),
)
def test_no_answer_costs_more_than_its_bytes(body):
    def cost(answer):
        started = time.process_time()
        read("generic", 400, answer)
        return time.process_time() - started

    # The best of three: others use the machine too. Twice the bytes cost twice the time; where time grows with their
    # square, as it did, 16 kB cost more than half a second.
    assert min(cost(body) for _ in range(3)) < 0.05


@pytest.mark.parametrize(
    "said",
    [
        "see https://user.example/t0p5ecret now",
        "x" * 60 + "https://user.example/t0p5ecret",
        "a.b-c+d://t0p5ecret",
        "HTTPS://t0p5ecret",
        "(ftp://t0p5ecret",
        "<a href='https://t0p5ecret'>here</a>",
        "<<<a https://t0p5ecret",
    ],
)
def test_no_link_is_told_however_it_is_written(said):
    assert "t0p5ecret" not in read("generic", 400, said.encode()).detail


@given(
    kind=st.sampled_from(["generic", "pagerduty", "slack", "opsgenie"]),
    status=st.integers(100, 999),
    body=st.binary(max_size=300)
    | st.recursive(
        st.none() | st.text() | st.integers(0, 9),
        lambda one: st.lists(one) | st.dictionaries(st.sampled_from(["message", "errors", "ok", "error"]), one),
    ).map(orjson.dumps),
    retry_after=st.none() | st.text(),
)
def test_no_answer_is_too_odd(kind, status, body, retry_after):
    found = read(kind, status, body, retry_after)

    assert found.status == status
    assert len(found.detail) < 320
    assert "\n" not in found.detail
    assert found.retry_after_ms is None or 0 <= found.retry_after_ms <= LONGEST_RETRY_AFTER_MS
