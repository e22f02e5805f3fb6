"""Workers that die at any moment lose no page, and no boundary of a batch changes what is told."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.pieces import at_once
from monitor.stream.partitions.ports import Now
from tests.stream.notifying import DELIVERED, DOWN, Partition, ScriptedCourier, alert, desk, ms, notify

MINUTE = 60_000
START = ms("Mon 09:00")
AGREEMENTS = [
    desk(notify("on-call", at_risk="chat", ladder=[("15m", "second-line")]), id=name) for name in ("desk", "network")
]


def storm(chance, tickets=12):
    """Alerts of two agreements within an hour, in order of time: (instant, alert)."""
    told = []
    for number in range(tickets):
        agreement, at_ms = chance.choice(AGREEMENTS).id, START + chance.randrange(60) * MINUTE
        for state in ("at_risk", "breached", "resolved"):
            one = alert(f"T-{number}", state, agreement=agreement)
            told.append((at_ms, one._replace(at_ms=at_ms)))
            at_ms += chance.randrange(1, 30) * MINUTE
    return sorted(told, key=lambda one: one[0])


class Life:
    """A partition that is killed now and then between any two of its steps."""

    def __init__(self, story, chance=None, kill=0.0):
        self.story = story
        self.chance = chance
        self.kill = kill
        self.kills = 0
        self.now_ms = START
        # down for some twenty minutes, and unreliable for the rest of the two hours
        self.courier = ScriptedCourier(self._answer)
        self.partition = Partition(*AGREEMENTS, courier=self.courier)

    def _answer(self, _receiver, _notice):
        minute = (self.now_ms - START) // MINUTE
        return DOWN if 10 <= minute < 30 or (minute < 120 and minute % 3 == 0) else DELIVERED

    async def dies(self):
        """Perhaps it dies here; all that was not committed is lost, and so is all that is under way."""
        if self.chance is None or self.chance.random() >= self.kill:
            return False
        self.kills += 1
        self.now_ms += 1  # its next owner lives a little later: what was not committed comes out different
        self.partition = self.partition.killed()
        return True

    async def live(self):
        for step in range(480):
            self.now_ms = START + step * MINUTE // 2
            await self._step()
        return self

    async def _step(self):
        while True:
            unread = [one for at_ms, one in self.story[self.partition.state.position :] if at_ms <= self.now_ms]
            if unread:
                self.partition.fold(*unread, now=self.now_ms)
                await self._commit(self.partition.state.position + len(unread))
            elif self.partition.is_due(self.now_ms):
                at_once(self.partition.processor.tick(Now(self.now_ms, caught_up=True)))
                if self.chance is not None and self.chance.random() < 0.3:
                    await asyncio.sleep(0)  # the attempt may be under way, or done
                await self._commit(self.partition.state.position)
            elif await self.partition.let_run():
                await self.dies()  # answered, the outcome not folded
            else:
                return

    async def _commit(self, position):
        if not await self.dies():  # folded, not committed; attempted, the outcome not committed
            await self.partition.commit(position)
            await self.dies()  # committed, and the attempt that this allows not begun

    def heard(self):
        """Which receiver was told of which alert."""
        return {(who, alert.key) for who, notice in self.courier.delivered for alert in notice.alerts}

    def delivered(self):
        """What arrived, by page: the notices in the order of their first arrival."""
        found = defaultdict(list)
        for _, notice in self.courier.delivered:
            if notice not in found[notice.key]:
                found[notice.key].append(notice)
        return found


async def test_a_hundred_kills_at_random_moments_lose_no_page():
    kills = 0
    for seed in range(12):
        story = storm(random.Random(seed))
        calm = await Life(story).live()
        life = await Life(story, random.Random(seed), kill=0.05).live()
        kills += life.kills
        pages = life.delivered()

        # everybody hears of every alert of which they hear in calm weather, and each page begins and ends
        assert life.heard() == calm.heard()
        for key, notices in pages.items():
            actions = [one.action for one in notices]
            assert actions[0] == "trigger", key
            assert actions[-1] == "resolve", key
            assert set(actions[1:-1]) <= {"update"}, key
            # in the order in which they were made
            assert all(one.at_ms <= other.at_ms for one, other in pairwise(notices)), key
        # whatever arrives twice has one id and one text, and comes twice only because of a kill
        by_id = {}
        for _, notice in life.courier.received:
            assert by_id.setdefault(notice.id, notice) == notice
        assert len(life.courier.delivered) - sum(map(len, pages.values())) <= life.kills * 4
        assert life.partition.state.rows.keys() == set()
    assert kills >= 100, kills


async def test_in_calm_weather_nothing_arrives_twice():
    for seed in range(5):
        life = await Life(storm(random.Random(seed))).live()

        assert len({notice.id for _, notice in life.courier.delivered}) == len(life.courier.delivered)


@settings(max_examples=25)
@given(st.lists(st.integers(1, 36), max_size=10), st.integers(0, 1000))
def test_no_boundary_of_a_batch_and_no_restart_between_two_changes_what_is_told(cuts, seed):
    chance = random.Random(seed)
    # all within the seconds before the first notice is due
    early = [one for _, one in storm(chance)]
    early = [one._replace(at_ms=START) for one in early[: chance.randrange(len(early))]]

    async def told(boundaries):
        partition = Partition(*AGREEMENTS)
        places = [0, *sorted({cut for cut in boundaries if cut < len(early)}), len(early)]
        for begin, end in pairwise(places):
            await partition.hear(*early[begin:end], now=START)
            partition = partition.killed() if boundaries else partition
        await partition.until(START + 3_600_000)
        return sorted(partition.courier.delivered, key=lambda one: (one[1].key, one[1].at_ms)), partition.state.rows

    async def both():
        return await told(cuts), await told([])

    cut, whole = asyncio.run(both())
    assert cut == whole
