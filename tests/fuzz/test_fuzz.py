"""No record of any topic stops a worker, and none of its neighbours is lost."""

from __future__ import annotations

import asyncio
import gc
import weakref
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import run as running
from tests.fuzz.native import BOTH_WAYS
from tests.fuzz.records import DOCUMENTS, FOLLOWED, HOSTILE, Made
from tests.fuzz.run import feed_batch, run
from tests.fuzz.world import World


@pytest.mark.parametrize("topic", HOSTILE)
@given(random=st.randoms(use_true_random=False))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_law_no_record_stops_a_worker_and_no_neighbour_is_lost(topic: str, random: Random):
    async def feed() -> None:
        world = World()
        for number in range(2):
            await feed_batch(world, random, topic, number)
            world.clock.advance(3_600_000)
            await world.tick()

    asyncio.run(feed())


def test_a_world_that_is_over_leaves_no_memory_behind():
    world = weakref.ref(World().monitor)
    gc.collect()

    assert world() is None


@pytest.mark.parametrize("topic", [topic for topic in HOSTILE if topic not in FOLLOWED])
def test_what_is_written_now_counts_however_late_it_is_and_whatever_becomes_of_other_agreements(topic: str):
    async def feed() -> None:
        world = World()
        await world.feed("agreements", [Made(f"{one['agreement']}/1".encode(), None) for one in DOCUMENTS])
        world.clock.advance(3 * 86_400_000)
        await feed_batch(world, Random(1), topic, 0)

    asyncio.run(feed())


def test_a_run_of_the_program_is_repeated_by_its_seed():
    first, second = (asyncio.run(run(400, 7)) for _ in range(2))

    assert first.inputs >= 400
    assert first.reasons == second.reasons
    assert first.digests == second.digests != asyncio.run(run(400, 8)).digests
    assert sum(first.reasons.values()) > 50


@pytest.mark.skipif(not BOTH_WAYS, reason="the native package is not installed")
@given(seed=st.integers(0, 10**9))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_law_the_native_package_commits_what_python_commits(seed: int):
    native, python = (asyncio.run(run(400, seed, native=way)) for way in ("required", "off"))

    assert (python.native, python.merged) == ({}, 0)
    assert native == python._replace(seconds=native.seconds, native=native.native, merged=native.merged)


@pytest.mark.skipif(not BOTH_WAYS, reason="the native package is not installed")
def test_the_native_package_takes_its_part_of_what_is_fed():
    result = asyncio.run(run(2_000, 7, native="required"))

    assert min(result.native["tickets"], result.native["calls"], result.merged) > 50


def test_a_worker_that_would_stop_and_a_record_that_is_lost_are_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("monitor.stream.agents.ingest.decode", lambda *_, **__: 1 / 0)
    with pytest.raises(AssertionError, match="was lost"):
        asyncio.run(run(400, 7))

    def stops(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(running.World, "feed", stops)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(run(40, 7))
