"""A worker of the newest code takes over the state of a released version, in mid-story, and tells the same story."""

from __future__ import annotations

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

    It has not the indicators that are newer than the release, and estimates where the newest code knows exactly.
    """
    theirs = {one["indicator"]: one for one in older["figures"]}
    found = statement | {
        "figures": [
            one if one["indicator"] not in DURATIONS else near(one, theirs[one["indicator"]])
            for one in statement["figures"]
            if one["indicator"] in theirs
        ]
    }
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
        before = len(await installation.read("alerts"))
        closed = (await told(installation)).statements
        installation.clock.advance(recording(release).now_ms - installation.clock.now_ms())
        # when a worker of today takes over, and the story goes on
        async with installation.worker(story.courier()) as worker:
            assert not worker.monitor.tally.dead_letters
            await story.second_half(installation, worker)
        upgraded = await told(installation)
    # then all is told that is told without a stop, and nothing else
    assert len(upgraded.alerts) > before / 2
    assert upgraded.alerts.keys() == uninterrupted.alerts.keys()
    assert upgraded.alerts == {key: as_told(one, upgraded.alerts[key]) for key, one in uninterrupted.alerts.items()}
    assert upgraded.statements == {
        key: as_stated(one, closed.get(key) or upgraded.statements[key])
        for key, one in uninterrupted.statements.items()
    }
    assert upgraded.status == as_shown(uninterrupted.status, upgraded.status)
    assert upgraded.delivered == uninterrupted.delivered
