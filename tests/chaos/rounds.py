"""One round of chaos: workers under load, a plan of faults, and all that was written compared with what must be."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError

from monitor.wire.announcements import decode_status
from tests.chaos.plans import SESSION_S, random_plan
from tests.kafka.chaos import BROKER, Broker, Fleet, Step, run_chaos
from tests.kafka.monitor_job import MonitorJob, Topics
from tests.kafka.monitor_load import Load, agreement
from tests.kafka.monitor_oracle import Word, verdicts

log = logging.getLogger(__name__)

STOPS = ("another worker owns this partition by now", "or this process stood still")
"""Why a worker may stop: it was replaced while it was frozen, or frozen in mid-commit."""
BROKER_STOPS = (
    *STOPS,
    "the transaction failed",
    "cannot become the writer of this partition",
    "cannot restore the rows",
    "no broker",
    "does not answer",
    "cannot be reached",
)
"""Why a worker may also stop where the broker is killed and frozen."""
PACE = 0.3
"""How long promises are, against those of the long runs: the last deadline comes 7 s after its ticket."""
LOAD_S = 5.0
WINDOWS = {"response": "30m", "resolution": "30m", "restore": "30m"}
"""In which window the verdicts of each clock are counted: all of a round is in it."""


class Outcome(NamedTuple):
    """What a run did."""

    events: int
    alerts: int
    lives: int
    """Processes of workers that ended before the end."""
    stops: int
    """Workers that stopped by themselves."""
    blurred: int
    """Subjects of which a fact reached Kafka only after a deadline that it changes."""

    def __str__(self) -> str:
        said = f"{self.events} events, {self.alerts} alerts, {self.lives} lives, {self.stops} stops by themselves"
        return said + (f", {self.blurred} subjects told late" if self.blurred else "")


async def one_round(seed: int, bootstrap: str, broker: Broker | None, folder: Path) -> Outcome:
    """Run the round of a seed.

    Raises:
        AssertionError: what was written is not what must be; the message says what differs.
    """
    job = MonitorJob(
        bootstrap, folder, [agreement(int(time.time() * 1000), PACE)], partitions=3, session_s=SESSION_S, quiet_s=2.0
    )
    load = Load(seed, seconds=LOAD_S, tickets=250, calls=50, outages=4, pace=PACE)
    fleet = Fleet(job.command, folder, restart_after_s=0.3, broker=broker)
    return await disturb(fleet, job, random_plan(seed), load, timeout_s=90)


async def disturb(fleet: Fleet, job: MonitorJob, plan: list[Step], load: Load, *, timeout_s: float = 180) -> Outcome:
    """Run workers under load while the plan is followed, and compare all that they wrote with what must be."""
    await job.create()
    health: dict[int, dict[str, Any]] = {}
    async with job.topics() as topics:

        async def settled() -> bool:
            try:
                await topics.read()
            except KafkaError:  # the broker has just been started again
                return False
            over_ms = max(word.at_ms for _, word in load.words())
            if over_ms > time.time() * 1000 or job.lag(topics) or not topics.is_quiet():
                return False
            health.clear()
            health.update(await job.health(fleet))
            return fleet.running() == fleet.wanted and all(one["ready"] for one in health.values())

        await run_chaos(
            fleet, plan, produce=lambda: load.produce(job.bootstrap, job.sources), settled=settled, timeout_s=timeout_s
        )
        alerts = check_output(job, topics, load)
    reasons = BROKER_STOPS if any(step.target == BROKER for step in plan) else STOPS
    stops = check_workers(job, fleet, health, reasons)
    outcome = Outcome(load.sent, alerts, len(fleet.lives) - len(health), stops, len(load.blurred()))
    log.info("%s; the load was at most %.1f s late; exits %s", outcome, load.behind_s, fleet.exits)
    return outcome


def check_output(job: MonitorJob, topics: Topics, load: Load) -> int:
    """Assert that all that was written is what must be; return the number of alerts."""
    alerts = job.alerts(topics)
    repeated = {one for one, times in Counter(alert.id for alert in alerts).items() if times > 1}
    assert not repeated, f"announced more than once: {[alert for alert in alerts if alert.id in repeated][:10]}"
    told = [
        (alert.key.what, Word(alert.key.text(), alert.state, alert.reason, alert.at_ms))
        for alert in alerts
        if alert.key.kind != "objective"
    ]
    wanted = [(story.id, word) for story, word in load.words()]
    blurred = load.blurred()
    # Of a fact that was late the monitor may have announced what the fact disproves, if it took it back.
    sharp_told, sharp_wanted = (Counter(word for who, word in some if who not in blurred) for some in (told, wanted))
    assert sharp_told == sharp_wanted, (
        f"too many: {sorted(sharp_told - sharp_wanted)[:20]}\nlacking: {sorted(sharp_wanted - sharp_told)[:20]}"
    )
    differ = last_words_differ(
        [word for who, word in told if who in blurred], [word for who, word in wanted if who in blurred]
    )
    assert not differ, differ[:10]
    assert not (differ := counts_differ(topics, job, load)), differ

    local = job.local(topics, int(time.time() * 1000))
    assert not (differ := job.rows_differ(topics, local, blurred)), differ[:10]
    assert not (differ := job.panes_differ(topics, local)), differ[:10]
    assert not (differ := job.status_differs(topics, local)), differ[:10]
    assert not (differ := job.objectives_differ(topics)), differ[:10]
    assert not (differ := job.dead_letters_differ(topics)), differ[:10]
    return len(alerts)


def last_words_differ(told: Iterable[Word], wanted: Iterable[Word]) -> list[str]:
    """Return for which clocks the last word is another than it must be.

    What a fact that came late disproves may have been announced, if it was taken back.
    """
    last_told, last_wanted = ({word.key: word for word in some} for some in (told, wanted))
    return [
        f"{key}: the last word is {last_told.get(key)}, wanted {last_wanted.get(key)}"
        for key in sorted(last_told.keys() | last_wanted.keys())
        if last_told.get(key) != last_wanted.get(key)
        and not (key in last_told and last_told[key].state in ("voided", "rearmed", "resolved"))
    ]


def counts_differ(topics: Topics, job: MonitorJob, load: Load) -> list[str]:
    """Return which counts of kept and of all clocks, summed over the newest status, differ from those of the oracle."""
    told: Counter[tuple[str, str]] = Counter()
    for record in topics.newest[job.settings.topics.status].values():
        status = None if record.value is None else decode_status(record.value)
        if status and WINDOWS.get(status.series.measure) == status.window:
            (figure,) = (one for one in status.figures if one.indicator == "compliance")
            told[status.series.measure, "kept"] += round(figure.numerator)
            told[status.series.measure, "all"] += round(figure.denominator)
    wanted: Counter[tuple[str, str]] = Counter()
    for story in load.stories:
        for clock, kept in verdicts(story.subject, story.facts, load.pace):
            wanted[clock, "all"] += 1
            wanted[clock, "kept"] += kept
    return [
        f"{key}: {told[key]} in the status, wanted {wanted[key]}" for key in wanted | told if told[key] != wanted[key]
    ]


def check_workers(
    job: MonitorJob, fleet: Fleet, health: dict[int, dict[str, Any]], reasons: tuple[str, ...] = STOPS
) -> int:
    """Assert that each worker works and each partition has one owner, and that whoever stopped said why in one line."""
    assert all(one["alive"] and one["ready"] and one["open"] and not one["lag"] for one in health.values()), health
    owners = Counter(partition for one in health.values() for partition in one["open"])
    assert len(owners) == (len(job.sources) + 2) * job.partitions, owners  # and partials and alerts
    assert set(owners.values()) == {1}, owners
    workers = {life.worker for life in fleet.lives}
    stops = [line for worker in workers for line in fleet.log(worker).splitlines() if "worker stops" in line]
    assert all(any(reason in line for reason in reasons) for line in stops), stops
    for life in fleet.lives:
        # -15: stopped before it was up; -9: a plan may kill a worker that has said why it stops and has not ended yet
        told = {0: {0}, 1: {1}, -9: {0, 1}, -15: {0}}
        assert life.log.count("worker stops") in told.get(life.code, set()), life
    for worker in workers:
        assert "Traceback" not in fleet.log(worker), fleet.log(worker)[-6000:]
    return len(stops)
