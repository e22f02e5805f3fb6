"""A worker of the newest code takes over the state of a released version, in mid-story, and tells the same story."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from monitor.core.agreements.indicators import NAMED
from monitor.core.series.sketch import RELATIVE_ERROR
from tests.e2e.installation import Installation, at
from tests.golden import story
from tests.golden.recording import RELEASES, recording, refill

DURATIONS = {name for name, one in NAMED.items() if one.sample == "durations"}


class Told(NamedTuple):
    """All that readers of the topics know in the end."""

    alerts: dict[str, Any]
    statements: dict[bytes, Any]
    status: dict[bytes, Any]
    delivered: set[tuple[str, str, str]]


async def told(installation: Installation) -> Told:
    """Read everything; nothing may have been told twice."""
    alerts = [orjson.loads(record.value) for record in await installation.read("alerts") if record.key != b"filler"]
    statements = [(record.key, orjson.loads(record.value)["data"]) for record in await installation.read("statements")]
    assert len({one["id"] for one in alerts}) == len(alerts)
    assert len(dict(statements)) == len(statements)
    return Told(
        {one["id"]: one["data"] for one in alerts},
        dict(statements),
        {
            record.key: orjson.loads(record.value)["data"] if record.value else None
            for record in await installation.read("status")
        },
        {
            (data["receiver"], data["action"], data["title"] if data["action"] != "update" else "")
            for record in await installation.read("deliveries")
            for data in (orjson.loads(record.value)["data"],)
            if data["result"] == "delivered"  # an update may be replaced by the next one before it is sent
        },
    )


def as_stated(statement: dict[str, Any], older: dict[str, Any]) -> dict[str, Any]:
    """Return a statement as the release stated it which closed its period.

    It has not the indicators that are newer than the release, estimates where the newest code knows exactly, and has
    verdicts on cohorts.
    """
    judged = {one["objective"]: one["verdict"] for one in older["verdicts"]}
    theirs = {one["indicator"]: one for one in older["figures"]}
    found = statement | {
        "figures": [
            one if one["indicator"] not in DURATIONS else near(one, theirs[one["indicator"]])
            for one in statement["figures"]
            if one["indicator"] in theirs
        ],
        # A release stated what was open when it closed the period; a statement of today holds what its end decides.
        "live": older["live"]
        if older["closed"]
        else {name: count for name, count in statement["live"].items() if name in older["live"]},
        "verdicts": [
            one | {"verdict": judged[one["objective"]]} if one["verdict"] == "provisional" else one
            for one in statement["verdicts"]
        ],
    }
    # A release that did not remember what it stated leaves that unknown until the next period is closed, and then tells
    # the status once more.
    if "before" not in older:
        found.pop("before", None)
    elif not older["closed"]:
        found |= {name: older[name] for name in ("as_of", "as_of_ms")}
    if "good_slices" in {one["indicator"] for one in statement["verdicts"]}:
        # A release that judged timeslices by the figure of the whole month stated the same in other words. What it
        # granted is also in the running month, as long as it can be claimed.
        for part, known in (("verdicts", ("objective", "verdict")), ("consequences", ("objective", "kind", "amount"))):
            ours, before = ([[one[name] for name in known] for one in of.get(part, ())] for of in (statement, older))
            assert ours == before
        parts = ("verdicts", "consequences", "budgets") if older["closed"] else ("consequences",)
        found |= {name: older[name] for name in parts if name in older}
    if older.get("budgets") and "all" not in older["budgets"][0]:
        found |= {"budgets": [{name: of[name] for name in of if name != "all"} for of in found["budgets"]]}
    return found


def as_told(alert: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """Return an alert on timeslices as it was told: a release before judged them by the figure of the whole month."""
    if alert.get("indicator") != "good_slices" or told.get("indicator") == "good_slices":
        return alert
    judged = ("at", "at_ms", "indicator", "value", "target", "numerator", "denominator", "annotations")
    return alert | {name: told[name] for name in judged if name in told}


def near(figure: dict[str, Any], estimate: dict[str, Any]) -> dict[str, Any]:
    """Return an estimate in place of a figure, of which it may be wrong by the error of two sketches at most."""
    value, guess = figure.get("value"), estimate.get("value")
    same = {name: part for name, part in figure.items() if name not in {"value", "formula"}}
    assert same == {name: part for name, part in estimate.items() if name not in {"value", "formula"}}
    assert (value is None) == (guess is None)
    assert value is None or abs(value - guess) <= 2 * RELATIVE_ERROR * value
    return estimate


def as_shown(status: dict[bytes, Any], upgraded: dict[bytes, Any]) -> dict[bytes, Any]:
    """Return statuses of windows that hold panes of an older release, in which the longest duration is estimated."""
    return {key: one if one is None else as_stated(one, upgraded[key]) for key, one in status.items()}


def at_their_limits(alerts: dict[str, Any], recorded: Collection[str]) -> dict[str, Any]:
    """Return alerts without the instants of the breaches that an older release has told.

    It told them at their due instants; today "within" is inclusive, and they are told a millisecond after these: by the
    story's clock, at its next step.
    """
    moved = ("at", "at_ms", "elapsed_ms", "wall_ms", "stretches", "supporting", "annotations", "backfill")
    return {
        key: {name: value for name, value in one.items() if name not in moved} if key in recorded else one
        for key, one in alerts.items()
    }


def period_of(key: bytes) -> bytes:
    """Return the key of the statement of a period that owes the statement of this key, if that is of a cohort."""
    return re.sub(rb"\+\w+(?=/[^/]+$)", b"", key)


@pytest.fixture
async def uninterrupted(tmp_path: Path) -> Told:
    """What the newest code tells if nobody stops it."""
    (tmp_path / "whole").mkdir()
    async with Installation.started(at(story.START), tmp_path / "whole", story.SOURCES) as installation:
        await story.publish(installation)
        async with installation.worker(story.courier()) as worker:
            await story.first_half(installation, worker)
            await story.second_half(installation, worker)
        return await told(installation)


@pytest.mark.parametrize("release", RELEASES)
async def test_a_worker_goes_on_with_the_state_of_an_older_release(release: str, uninterrupted: Told, tmp_path: Path):
    (tmp_path / "upgraded").mkdir()
    async with Installation.started(at(story.STOP), tmp_path / "upgraded", story.SOURCES) as installation:
        # given the topics as a worker of that release left them
        await refill(installation, release)
        before = await told(installation)
        closed = before.statements
        breached = {key for key, one in before.alerts.items() if one["state"] == "breached"}
        at_its_limit = {
            key
            for key, one in before.alerts.items()
            if (one["what"], one["promise"], one["cycle"]) == ("T-2", "first", 1)
        }
        installation.clock.advance(recording(release).now_ms - installation.clock.now_ms())
        # when a worker of today takes over, and the story goes on
        async with installation.worker(story.courier()) as worker:
            assert not worker.monitor.tally.dead_letters
            await story.second_half(installation, worker)
        upgraded = await told(installation)
    # then all is told that is told without a stop, and nothing else
    assert len(upgraded.alerts) > len(before.alerts) / 2
    # T-2 was answered at its due instant: that release has told of a breach and its end, and this stays told
    assert sorted(upgraded.alerts[key]["state"] for key in at_its_limit) == ["breached", "resolved"]
    alerts = {key: one for key, one in upgraded.alerts.items() if key not in at_its_limit}
    assert alerts.keys() == uninterrupted.alerts.keys()
    told_then = {key: as_told(one, upgraded.alerts[key]) for key, one in uninterrupted.alerts.items()}
    assert at_their_limits(alerts, breached) == at_their_limits(told_then, breached)
    # … and two statements that it made count clocks which stood at their limits
    judged = {b"desk/first/day/2026-01-31T00:00:00.000Z", b"desk/resolution/P1/month/2026-01-01T00:00:00.000Z"}
    assert upgraded.statements == {
        key: closed[key] if key in judged else as_stated(one, closed.get(key) or upgraded.statements[key])
        for key, one in uninterrupted.statements.items()
        if key == period_of(key) or period_of(key) not in closed  # a release without cohorts owes none
    }
    assert upgraded.status == as_shown(uninterrupted.status, upgraded.status)
    assert upgraded.delivered == uninterrupted.delivered
