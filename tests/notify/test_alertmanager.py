"""A real Alertmanager takes our alerts, groups, resolves and silences them; and what it posts looks like what we do."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress

import aiohttp
import orjson
import pytest

from monitor.config.receivers.kinds.alertmanager import fingerprint
from monitor.notify.courier import WebhookCourier
from tests.notify.desk import Desk
from tests.notify.given import HOSTILE, LINK, MINUTE_MS, late_ticket, missed_objective, notice, payload, receiver

BINARY = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
pytestmark = pytest.mark.skipif(
    BINARY is None, reason="Alertmanager is not installed: prometheus-alertmanager in Debian"
)

CONFIGURATION = """\
route:
  receiver: desk
  group_by: [agreement]
  group_wait: 50ms
  group_interval: 100ms
  repeat_interval: 1h
receivers:
  - name: desk
    webhook_configs: [{{url: "http://127.0.0.1:{port}/hook", send_resolved: true}}]
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory):
    """Its address, and the port to which it posts."""
    folder, port, hook = tmp_path_factory.mktemp("alertmanager"), free_port(), free_port()
    (folder / "alertmanager.yml").write_text(CONFIGURATION.format(port=hook))
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [
            BINARY,
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ],
        stdout=log,
        stderr=log,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            with suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"{address}/-/ready", timeout=1).close()
                break
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield address, hook
    finally:
        process.terminate()
        process.wait(30)
        log.close()


class Story:
    """One agreement's alerts in the Alertmanager: what it is told, what it knows, what it posts."""

    def __init__(self, address, courier, session, desk, agreement):
        self.address, self.courier, self.session, self.desk, self.agreement = address, courier, session, desk, agreement

    async def tell(self, action, *alerts):
        mine = [self.of_agreement(one) for one in alerts]
        found = await self.courier.deliver("alertmanager", notice(action, *mine, key=f"{self.agreement}/1"))
        assert found.kind == "delivered", found

    def of_agreement(self, alert):
        labels = alert.labels | {"agreement": self.agreement}
        return alert._replace(key=alert.key._replace(agreement=self.agreement), labels=labels)

    async def alerts(self):
        filters = {"filter": f'agreement="{self.agreement}"'}
        async with self.session.get(f"{self.address}/api/v2/alerts", params=filters) as answer:
            return {one["labels"]["what"]: one for one in await answer.json()}

    async def posted(self):
        """The next payload about this agreement."""
        while True:
            told = orjson.loads(await asyncio.wait_for(self.desk.heard.get(), 30))
            if told["groupLabels"].get("agreement") == self.agreement:
                return told


@pytest.fixture
async def story(alertmanager, request):
    address, hook = alertmanager
    now_ms = lambda: time.time_ns() // 1_000_000  # noqa: E731 - the clock of the Alertmanager is the real one
    to = {"alertmanager": receiver("alertmanager_api", url=address, link=LINK)}
    async with (
        Desk.started(port=hook, reuse_address=True) as desk,
        aiohttp.ClientSession() as session,
    ):
        yield Story(address, WebhookCourier(to, "sla-monitor", now_ms), session, desk, request.node.name)


def shape(value):
    """The keys and types of a value; of labels and annotations only their type, for they differ."""
    if isinstance(value, dict):
        return {key: "texts" if key.endswith(("abels", "nnotations")) else shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(value[0])]
    return type(value).__name__


async def test_alerts_are_grouped_updated_and_resolved(story):
    await story.tell("trigger", late_ticket(what="T-1"), late_ticket("at_risk", "T-2"))
    first = await story.posted()
    known = await story.alerts()

    assert (first["status"], {one["labels"]["what"] for one in first["alerts"]}) == ("firing", {"T-1", "T-2"})
    assert {one["status"]["state"] for one in known.values()} == {"active"}

    later_ms = late_ticket().at_ms + 10 * MINUTE_MS
    await story.tell("update", late_ticket(what="T-2", at_ms=later_ms), late_ticket("resolved", "T-1", at_ms=later_ms))
    second, after = await story.posted(), await story.alerts()

    assert {one["labels"]["what"]: one["status"] for one in second["alerts"]} == {"T-1": "resolved", "T-2": "firing"}
    assert list(after) == ["T-2"], "what is over is not listed"
    assert after["T-2"]["fingerprint"] == known["T-2"]["fingerprint"]
    assert after["T-2"]["startsAt"] == known["T-2"]["startsAt"], "it began when it was at risk"
    assert (known["T-2"]["annotations"]["severity"], after["T-2"]["annotations"]["severity"]) == ("warning", "critical")

    await story.tell("resolve", late_ticket("resolved", "T-1", at_ms=later_ms), late_ticket("voided", "T-2"))
    last = await story.posted()

    assert (last["status"], await story.alerts()) == ("resolved", {})


async def test_what_it_posts_has_the_keys_and_types_of_what_we_post(story):
    alerts = late_ticket(what="T-3"), missed_objective()
    await story.tell("trigger", *alerts)
    theirs = await story.posted()
    ours = payload("alertmanager", notice("trigger", *map(story.of_agreement, alerts)), link=LINK)

    assert shape(ours) == shape(theirs)
    assert theirs["version"] == ours["version"]
    assert {one["endsAt"] for one in theirs["alerts"]} == {one["endsAt"] for one in ours["alerts"]}
    assert [one["fingerprint"] for one in theirs["alerts"]] == [fingerprint(one["labels"]) for one in theirs["alerts"]]

    await story.tell("resolve", *(one._replace(state="resolved") for one in alerts))
    over = await story.posted()
    ours = payload("alertmanager", notice("resolve", *map(story.of_agreement, alerts)), link=LINK)

    assert shape(ours) == shape(over)
    assert (ours["status"], [one["status"] for one in ours["alerts"]]) == (
        over["status"],
        [one["status"] for one in over["alerts"]],
    )


async def test_a_silence_mutes_an_alert_and_its_updates(story):
    matcher = {"name": "agreement", "value": story.agreement, "isRegex": False, "isEqual": True}
    silence = {
        "matchers": [matcher],
        "startsAt": "2020-01-01T00:00:00Z",
        "endsAt": "2099-01-01T00:00:00Z",
        "createdBy": "desk",
        "comment": "known",
    }
    async with story.session.post(f"{story.address}/api/v2/silences", json=silence) as answer:
        silence_id = (await answer.json())["silenceID"]

    await story.tell("trigger", late_ticket("at_risk", "T-4"))
    await story.tell("update", late_ticket("breached", "T-4"))

    async with asyncio.timeout(30):
        while (one := (await story.alerts())["T-4"])["status"]["state"] == "unprocessed":  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # there is nothing to wait for: it posts nothing
    assert one["status"] == {"state": "suppressed", "silencedBy": [silence_id], "inhibitedBy": []}
    assert story.desk.told == []


async def test_hostile_texts_are_taken_and_told_apart(story):
    alerts = [late_ticket(what=f"{place}{text}") for place, text in enumerate(HOSTILE)]

    await story.tell("trigger", *alerts, *(late_ticket(what=one.key.what + "!") for one in alerts))
    assert len(await story.alerts()) == 2 * len(HOSTILE)

    await story.tell("resolve", *(late_ticket("voided", one.key.what) for one in alerts))
    assert {what[0] for what in await story.alerts()} == {str(place) for place in range(len(HOSTILE))}
    assert len(await story.alerts()) == len(HOSTILE)


async def test_what_it_does_not_take_is_reported(story):
    story.courier = WebhookCourier(
        {"alertmanager": receiver("alertmanager_api", url=f"{story.address}/wrong")}, "sla-monitor", lambda: 0
    )
    found = await story.courier.deliver("alertmanager", notice())

    assert (found.kind, found.status) == ("retry", 404)
