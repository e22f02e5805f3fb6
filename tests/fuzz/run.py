"""Feeds hostile records between good ones, and looks after each batch whether the good ones are there."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from monitor.core.facts.events import SUBJECTS
from monitor.core.subjects.rows import subject_key
from tests.fuzz.native import LIVES, folded, lively, settings
from tests.fuzz.records import (
    FOLLOWED,
    FOREIGN,
    HOSTILE,
    NEIGHBOUR,
    TOPICS,
    Made,
    good_alert,
    good_event,
    good_foreign,
    good_partial,
)
from tests.fuzz.world import World

A_WORLD = 20_000
"""Inputs after which all begins anew: what they leave behind would make each batch slower than the one before."""
A_BATCH = 20
RARE = 40
"""Of the topics that workers follow, one batch comes for so many others: a book takes its time."""


class Result(NamedTuple):
    """What came of a run."""

    inputs: int
    seconds: float
    reasons: Counter[str]
    faults: Counter[str]
    digests: tuple[str, ...]
    """Of what the work on events committed and of merged panes, by worlds: the same for the same seed."""
    native: Counter[str]
    """Facts that the native package has folded, by topic."""
    merged: int
    """Panes that it has merged."""


class Neighbour(NamedTuple):
    """A good record among hostile ones, and how to see that it was worked on."""

    made: Made
    is_there: Callable[[World], bool]


def neighbour(random: Random, topic: str, number: int, now_ms: int) -> Neighbour:
    """Return a good record of a topic that the workers consume, written now."""
    subject = next((one for one in SUBJECTS if TOPICS[one] == topic), None)
    name = f"G-{number}"
    if subject is not None:
        key = subject_key(name)
        return Neighbour(good_event(random, subject, name, now_ms), lambda world: key in world.places[topic].state.rows)
    if topic == "alerts":
        return Neighbour(
            good_alert(random, NEIGHBOUR, name, now_ms),
            lambda world: any(name.encode() in key for key in world.places[topic].state.rows if key[:1] == b"a"),
        )
    if topic == "partials":
        mark = f"P{number}".encode()
        return Neighbour(
            good_partial(random, NEIGHBOUR, number, now_ms),
            lambda world: any(mark in key for key in world.places[topic].state.rows if key[:1] == b"w"),
        )
    mapping = next(one for one, its_topic in FOREIGN.items() if its_topic == topic)
    before = Counter[str]()

    def made_events(world: World) -> bool:
        return world.monitor.tally.mapped[topic] > before[topic]

    return Neighbour(good_foreign(random, mapping, number), made_events)


async def feed_batch(world: World, random: Random, topic: str, number: int) -> int:
    """Feed one batch of a topic with a good record in its midst, and look for that; return how many were hostile."""
    count = random.randint(1, A_BATCH)
    hostile = [HOSTILE[topic](random) for _ in range(count)]
    if topic in FOLLOWED:
        await world.feed(topic, hostile)
        return count
    good = neighbour(random, topic, number, world.clock.now_ms())
    mapped = world.monitor.tally.mapped[topic]
    place = random.randrange(count + 1)
    await world.feed(topic, [*hostile[:place], good.made, *hostile[place:]])
    if topic in FOREIGN.values():
        assert world.monitor.tally.mapped[topic] > mapped, f"{good.made} on {topic} made no event"
    else:
        assert good.is_there(world), f"{good.made} on {topic} was lost"
    return count


async def run(
    inputs: int, seed: int, told: Callable[[str], None] = lambda _line: None, *, native: str | None = None
) -> Result:
    """Feed so many hostile records to a worker that folds natively (``required``) or in Python (``off``).

    Raises:
        BaseException: a worker would have stopped, or a good record was lost.
    """
    random, started = Random(seed), time.perf_counter()
    done = number = 0
    reasons, faults, digests = Counter[str](), Counter[str](), list[str]()
    natively, merged = Counter[str](), 0
    topics = [topic for topic in HOSTILE if topic not in FOLLOWED]
    while done < inputs:
        world, in_this = World(**settings(native)), 0
        while in_this < A_WORLD and done < inputs:
            number += 1
            topic = random.choice(FOLLOWED if random.randrange(RARE) == 0 else topics)
            count = await feed_batch(world, random, topic, number)
            if native is not None:
                now_ms = world.clock.now_ms()
                for subject in LIVES:
                    count += A_BATCH
                    some = [lively(random, subject, number * A_BATCH + place, now_ms) for place in range(A_BATCH)]
                    await world.feed(TOPICS[subject], some)
            in_this, done = in_this + count, done + count
            if random.randrange(10) == 0:
                world.clock.advance(random.choice((1_000, 60_000, 3_600_000)))
                await world.tick()
            await asyncio.sleep(0)
        reasons.update(world.reasons)
        for place in world.faults.keys() - faults.keys():
            told(f"contained fault: {world.examples[place]}")
        faults.update(world.faults)
        digests.append(world.digest())
        natively.update(folded(world.monitor))
        merged += world.monitor.tally.merged["native"]
        told(f"{done:>9,} inputs, {time.perf_counter() - started:6.0f} s, {sum(faults.values())} faults")
    return Result(done, time.perf_counter() - started, reasons, faults, tuple(digests), natively, merged)
