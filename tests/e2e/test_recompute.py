"""Two verdicts: a worker judges, an event comes late, ``recompute`` lists what that changes, and writes nothing."""

from __future__ import annotations

import orjson

from monitor.wire.instants import rfc3339
from tests.e2e.installation import Installation
from tests.e2e.test_agreements import desk, knows

TOPICS = ("alerts", "statements", "status", "partials", "tickets")


async def test_a_late_event_after_the_day_was_stated_is_listed_with_its_cause_and_overwrites_nothing(
    installation: Installation,
):
    until = ("--until", "2026-01-06T06:00:00Z")
    async with installation.worker() as worker:
        # given two tickets of which one is answered in time, but nobody has told so yet
        await installation.publish(desk())
        await knows(worker, 1)
        await installation.tell("ticket", "T-1", ("opened", "2026-01-05 09:00", {}))
        await installation.tell(
            "ticket", "T-2", ("opened", "2026-01-05 09:00", {}), ("resolved", "2026-01-05 10:00", {})
        )
        await installation.turn("2026-01-05 12:00", worker)
        await installation.turn("2026-01-06 06:00", worker)

        # then nothing differs so far
        same = await installation.run("recompute", *until)
        assert same.exit_code == 0, same.output
        assert "no difference" in same.stdout
        before = max([one.timestamp for topic in ("alerts", "statements") for one in await installation.read(topic)])

        # when the answer is told after the day was stated
        late = installation.event("ticket", "T-1", "resolved", "2026-01-05 10:30", {})
        await installation.send(late)
        await installation.turn("2026-01-06 06:01", worker)
        written = {topic: len(await installation.read(topic)) for topic in TOPICS}

        # then the clock and the day are listed, each with what was announced and what it comes to now
        found = await installation.run("recompute", "--json", *until)
        assert found.exit_code == 4, found.output
        clock, period = (orjson.loads(line) for line in found.stdout.splitlines())
        event_id = orjson.loads(late.value)["id"]
        assert (clock["subject_id"], clock["judged"]["verdict"], clock["judged"]["taken_back"]) == (
            "T-1", "breached", "voided",
        )  # fmt: skip
        assert clock["recomputed"] == {"verdict": "met", "breached_ms": []}
        assert clock["cause"] == {"kind": "late_events", "versions": [-1, -1], "events": [event_id]}
        compliance = next(one for one in period["figures"] if one["indicator"] == "compliance")
        counted = [
            (compliance[side]["numerator"], compliance[side]["denominator"]) for side in ("judged", "recomputed")
        ]
        assert counted == [(1, 2), (2, 2)]
        assert period["verdicts"] == [{"objective": "in-time", "judged": "breached", "recomputed": "met"}]
        assert period["cause"]["events"] == [event_id]

        # and people read it
        told = await installation.run("recompute", *until)
        assert f"late events: {event_id}" in told.stdout
        assert "2 differ" in told.stdout

        # and with what was known before, it was right
        then = await installation.run("recompute", "--as-of", rfc3339(before), *until)
        assert then.exit_code == 0, then.output

        # and nothing was written
        assert {topic: len(await installation.read(topic)) for topic in TOPICS} == written
