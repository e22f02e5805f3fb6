"""The watch on the topics while a worker runs: the number of their partitions must stay the same as at the start.

`monitor.bootstrap` runs it beside the worker. It asks for the metadata of the topics in the plan at an even pace.

- **A keyed topic** (events, partials, alerts and the changelogs) with another number stops the worker. Kafka would send
  keys to partitions that do not hold their rows: events of known tickets would be judged without their earlier events,
  and workers would disagree on who owns an agreement. Nothing is lost: records that are not read wait in their topic.
- **A source that ends below the position** was deleted and created again: the worker stops.
- **Any other topic** (foreign ones, and those that are only written to) is reported, and the worker goes on with the
  partitions that it knows. Records in new partitions of a foreign topic wait until the settings give the new number.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from monitor.errors import BrokerError
from monitor.stream.kafka.topics import TopicSpec, wrong_counts

log = logging.getLogger(__name__)

PACE_S: Final = 10.0
"""Between two checks. A difference counts when two checks in a row find it: a broker that starts may lack topics."""


class TopicWatch:
    """Compares the topics with the plan. ``wrong`` describes the differences, by topic."""

    def __init__(
        self,
        plan: Sequence[TopicSpec],
        count: Callable[[Sequence[str]], Awaitable[Mapping[str, int]]],
        *,
        check_ends: Callable[[], Awaitable[None]] | None = None,
        pace_s: float = PACE_S,
    ) -> None:
        self.wrong: dict[str, str] = {}
        self.unexpected: dict[str, int] = {}
        """By topic that differs: the partitions beyond those that this worker knows (negative: missing ones)."""
        self._plan = plan
        self._count = count
        self._check_ends = check_ends
        self._pace_s = pace_s
        self._suspected: dict[str, str] = {}

    async def run(self) -> None:
        """Check at an even pace until cancelled.

        Raises:
            BrokerError: a keyed topic has another number of partitions, or is gone.
            StateError: a source ends below the offsets that were applied of it.
        """
        while True:
            await asyncio.sleep(self._pace_s)
            await self.look()
            if self._check_ends is not None:
                await self._check_ends()

    async def look(self) -> None:
        """Check once.

        Raises:
            BrokerError: a keyed topic has another number of partitions, or is gone.
        """
        try:
            counts = await self._count([spec.name for spec in self._plan])
        except BrokerError as error:
            log.warning("the topics cannot be looked at: %s", error)
            return
        found = wrong_counts(self._plan, counts)
        confirmed = {topic: why for topic, why in found.items() if self._suspected.get(topic) == why}
        self._suspected = found
        for topic in confirmed.keys() - self.wrong.keys():
            log.error("while this worker runs, %s. It goes on with the partitions that it knows", confirmed[topic])
        for topic in self.wrong.keys() - confirmed.keys():
            log.warning("topic %s is as it was when this worker was started", topic)
        self.wrong = confirmed
        self.unexpected = {
            spec.name: counts.get(spec.name, 0) - spec.partitions for spec in self._plan if spec.name in confirmed
        }
        if keyed := [spec.name for spec in self._plan if spec.keyed and spec.name in confirmed]:
            raise BrokerError(
                "a topic was changed under the running worker, and its keys now lead to other partitions: "
                + "; ".join(confirmed[topic] for topic in keyed)
            )
