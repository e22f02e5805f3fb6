"""The API: the same as the pages for machines, paged, with ETags and problem details."""

from __future__ import annotations

import asyncio
import json

import jsonschema
import pytest
from starlette.requests import Request

from monitor.pages.changes import Streams
from monitor.pages.site import Site
from monitor.pages.viewers import EVERYBODY
from monitor.read_model.live import Live
from tests.pages import records
from tests.pages.conftest import Still

API = "/api/v1"


async def test_status_says_the_same_as_the_page(browser):
    status = (await browser.get(f"{API}/status")).json()
    page = (await browser.get("/")).text
    assert f'<p class="big">{status["broken"]}<small> of {len(status["objectives"])}</small></p>' in page
    assert status["next"][0]["what"] in page
    assert status["as_of"].endswith("Z")


async def test_lists_come_in_pages_that_name_the_next_one(browser, world):
    found, address = [], f"{API}/alerts?size=70"
    while address:
        answer = (await browser.get(address)).json()
        found += [one["id"] for one in answer["items"]]
        address = answer["next"]
    assert found == [one.id for one in world.alerts()]


async def test_an_answer_that_is_known_is_not_sent_again(browser):
    first = await browser.get(f"{API}/statements")
    again = await browser.get(f"{API}/statements", headers={"If-None-Match": first.headers["etag"]})
    other = await browser.get(f"{API}/statements?size=1", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, other.status_code) == (200, 304, 200)
    assert again.content == b""


@pytest.mark.parametrize(
    ("address", "status"),
    [("alerts?page=0", 422), ("alerts?size=9999", 422), ("agreements/none", 404), ("nothing", 404)],
)
async def test_errors_are_problem_details(browser, address, status):
    answer = await browser.get(f"{API}/{address}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["status"]) == (status, status)


async def test_answers_are_as_the_description_says(browser):
    described = (await browser.get(f"{API}/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    lists = ("status", "alerts", "statements", "agreements", "reports", "arrivals")
    others = (
        "agreements/{agreement_id}",
        "subjects/{kind}/{subject_id}",
        "reports/{agreement_id}/{period}",
        "changes",
        "due",
    )
    assert set(described["paths"]) == {f"{API}/{one}" for one in (*lists, *others)}
    for name in lists:
        schema = described["paths"][f"{API}/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        answer = (await browser.get(f"{API}/{name}")).json()
        jsonschema.validate(answer, schema | {"components": described["components"]})


async def test_a_subject_is_told_as_explain_tells_it(browser, read_row, world):
    alert = next(one for one in world.alerts() if one.key.kind == "ticket" and one.state == "breached")
    row = await read_row("ticket", alert.key.what)
    answer = await browser.get(f"{API}/subjects/ticket/{alert.key.what}")
    found = answer.json()

    assert found["attributes"] == row.known()
    assert [one["id"] for one in found["facts"]] == [one.id for one in row.facts]
    assert alert.id in [one["id"] for one in found["alerts"]]
    clock = next(one for one in found["clocks"] if one["clock"] == alert.key.promise)
    assert clock["standing"] in ("breached", "overdue")
    counted = [part["to_ms"] - part["from_ms"] for part in clock["stretches"] if part["kind"] == "counted"]
    assert sum(counted) == clock["elapsed_ms"] == clock["contribution"]["elapsed_ms"]
    assert sum(clock["contribution"]["teams"].values()) == clock["elapsed_ms"]

    described = (await browser.get(f"{API}/openapi.json")).json()
    schema = described["paths"][f"{API}/subjects/{{kind}}/{{subject_id}}"]["get"]["responses"]["200"]
    schema = schema["content"]["application/json"]["schema"]
    jsonschema.validate(found, schema | {"components": described["components"]})


async def test_a_lead_is_told_with_where_it_counts(browser, read_row, world):
    lead = next(one.key.what for one in world.alerts() if one.key.kind == "lead")
    shown = (await read_row("lead", lead)).shown
    found = (await browser.get(f"{API}/subjects/lead/{lead}")).json()
    assert [(one["measure"], one["counts"]) for one in found["counts"]] == [
        (one.series.measure, dict(one.counts)) for one in shown
    ]
    assert shown


@pytest.mark.parametrize(("address", "status"), [("ticket/none", 404), ("dog/1", 422)])
async def test_a_subject_that_is_not_known_is_said(browser, address, status):
    assert (await browser.get(f"{API}/subjects/{address}")).status_code == status


async def test_the_stream_tells_each_new_alert_once_and_those_since_a_break(watched, clock, monkeypatch):
    monkeypatch.setattr("monitor.pages.changes.PAUSE_S", 0)
    alerts = [alert for _, alert in watched.noticed][-5:]
    live = Live(records.TOPICS)
    live.take([records.alert(one) for one in alerts[:2]])
    streams = Streams(Site(Still(live), clock), 10)

    async with asyncio.timeout(5):
        stream = streams._alerts(_asked(None))
        assert [await anext(stream), await anext(stream)] == ["retry: 2000\n\n", ": nothing new\n\n"]
        live.take([records.alert(one) for one in alerts[2:]])
        assert [_id(await anext(stream)) for _ in range(3)] == [one.id for one in alerts[2:]]

        again = streams._alerts(_asked(alerts[3].id))
        assert [await anext(again), _id(await anext(again))] == ["retry: 2000\n\n", alerts[4].id]


def _id(message):
    assert message.startswith("event: alert\n")
    return json.loads(message.partition("data: ")[2])["id"]


def _asked(since):
    headers = [] if since is None else [(b"last-event-id", since.encode())]
    return Request({"type": "http", "headers": headers, "method": "GET", "path": "/", "state": {"viewer": EVERYBODY}})
