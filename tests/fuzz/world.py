"""One worker's processors on all of its topics, without Kafka: what one writes, the next one reads."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson
from aiokafka.structs import ConsumerRecord

from monitor.bootstrap import Monitor
from monitor.config.settings.settings import Settings, TopicSettings
from monitor.config.settings.sources import SourceSettings
from monitor.core.facts.events import SUBJECTS
from monitor.core.paging.notices import Notice, Outcome
from monitor.core.pieces import at_once
from monitor.core.subjects.rows import PANE
from monitor.counters import PartitionStats
from monitor.stream.agents.books import agreement_key
from monitor.stream.partitions.clock import HandClock
from monitor.stream.partitions.containment import Containment
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.wire.deadletters import INTERNAL_ERROR, decode_dead_letter
from monitor.wire.partials import decode_partial
from monitor.wire.rows import EVALUATE_ROWS, SOURCE_ROWS
from tests.fuzz.records import DESK, DOCUMENTS, FOLLOWED, FOREIGN, NEIGHBOUR, NOW_MS, TOPICS, Made
from tests.stream.fakes import FakeWriter

EVENTS = {*(TOPICS[subject] for subject in SUBJECTS), *FOREIGN.values()}
"""The topics of events, ours and those of others."""
MERGED = (b"w", b"x")
"""The first bytes of the keys of panes in the rows of evaluators."""
MAPPINGS = Path(__file__).parents[2] / "deploy" / "mappings"


class Busy:
    """A courier that delivers at once."""

    def knows(self, receiver: str) -> bool:  # noqa: ARG002 - the protocol's
        return True

    def places(self, receiver: str) -> int:  # noqa: ARG002 - the protocol's
        return 8

    async def deliver(self, receiver: str, notice: Notice) -> Outcome:  # noqa: ARG002 - the protocol's
        return Outcome("delivered", 202, "")


class Place:
    """One partition of a topic, with all that a worker has around it."""

    def __init__(self, monitor: Monitor, topic: str) -> None:
        source = monitor.sources()[topic]
        self.writer = FakeWriter(partitions=1)
        self.state = PartitionState(
            topic=topic, partition=0, changelog=f"state-of-{topic}", codec=source.codec, writer=self.writer
        )
        self.stats = PartitionStats()
        self.processor = source.processor(self.state)
        at_once(self.processor.restore())
        self.work = Containment(self.state, source, self.processor, self.stats, self.state.commit)
        self.end = 0
        self.newest: dict[tuple[str, bytes], object] = {}
        """The newest value of each row and pane that the work on events committed."""
        self.told: list[tuple[str, bytes, bytes | None, list[tuple[str, bytes]]]] = []
        """All else that it committed, in its order."""

    def take_written(self) -> list[tuple[str, bytes, bytes | None, list[tuple[str, bytes]]]]:
        """Return what was written since the last time, but for the rows."""
        for transaction in self.writer.transactions if self.state.topic in EVENTS else ():
            for (topic, _), records in sorted(transaction.items()):
                for key, value, headers in records:
                    if topic in (self.state.changelog, "partials"):
                        self.newest[topic, key] = self._steady(topic, key, value)
                    else:
                        self.told.append((topic, key, value, headers))
        found = [
            (topic, *record)
            for transaction in self.writer.transactions
            for (topic, _), records in transaction.items()
            if topic != self.state.changelog
            for record in records
        ]
        self.writer.transactions.clear()
        return found

    def _steady(self, topic: str, key: bytes, value: bytes | None) -> object:
        """Return a value in which nothing depends on the order of the maps of a pane: that has no meaning."""
        if value is not None and topic == "partials":
            return steady(decode_partial(key, value))
        if value is not None and topic == self.state.changelog and key[:1] == PANE:
            return steady(SOURCE_ROWS.decode(key, value))
        return value


def steady(value: Any) -> Any:
    """Return a value with its maps in order."""
    if isinstance(value, dict):
        return sorted((repr(key), steady(one)) for key, one in value.items())
    if isinstance(value, tuple | list):
        return [steady(one) for one in value]
    return value


class World:
    """All partitions of a worker. ``faults`` counts the dead letters ``internal_error`` by where they come from."""

    def __init__(self, documents: Sequence[dict[str, Any]] = DOCUMENTS, **others: Any) -> None:
        """Make a worker with these agreements, and these settings beside those of the fuzz."""
        self.clock = HandClock(NOW_MS)
        settings = Settings(
            **others,
            topics=TopicSettings(partitions=1),
            sources=[
                SourceSettings(topic=topic, mapping=str(MAPPINGS / f"{mapping}.yaml"), partitions=1)
                for mapping, topic in FOREIGN.items()
            ],
        )
        self.monitor = Monitor(settings, self.clock, Busy())
        app = self.monitor.app
        for signal in (app.on_partitions_assigned, app.on_partitions_revoked):
            # Faust keeps them, and with them the whole world, for ever; this app is never started.
            signal._filter_receivers.pop(signal._create_id(app), None)
        desk = next(one for one in documents if one["agreement"] == DESK)
        neighbour = desk | {"agreement": NEIGHBOUR, "covers": {"customer": ["neighbour"]}}
        self.monitor.books.take([
            (agreement_key(one["agreement"], one["version"]), orjson.dumps(one)) for one in (*documents, neighbour)
        ])  # fmt: skip
        assert self.monitor.books.refused == 0
        self.places = {topic: Place(self.monitor, topic) for topic in self.monitor.sources()}
        self.faults: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        """The first record of each of these places, with the exception."""
        self.reasons: Counter[str] = Counter()
        self._ends: Counter[str] = Counter()

    async def feed(self, topic: str, made: Sequence[Made]) -> list[str]:
        """Have records worked on, and what follows from them; return the topics that were written to.

        Raises:
            BaseException: a worker would have stopped.
        """
        if topic in FOLLOWED:
            self._follow(topic, made)
            return []
        place = self.places[topic]
        records = [
            ConsumerRecord(
                topic, 0, place.end + number, NOW_MS, 0, one.key, one.value, None, len(one.key or b""),
                len(one.value or b""), one.headers,
            )
            for number, one in enumerate(made)
        ]  # fmt: skip
        place.end += len(records)
        await place.work.batch(records, place.end, Now(self.clock.now_ms(), caught_up=True))
        assert place.state.position == place.end
        assert place.stats.faults >= 0
        return await self._pass_on(place)

    def digest(self) -> str:
        """Return a digest of what the work on events committed, and of the panes that evaluators have merged of it.

        What a tick does in one transaction or in two depends on the machine's time, and so do the turns of evaluators.
        Which ticket is looked at first under a new book depends on the order of the rows, and that on who folded them:
        what was told stands in its order for each key alone.
        """
        all_of_it = [
            (sorted(place.newest.items()), sorted(place.told, key=itemgetter(0, 1))) for place in self.places.values()
        ]
        rows = self.places["partials"].state.rows
        merged = sorted((key, steady(EVALUATE_ROWS.decode(key, row))) for key, row in rows.items() if key[:1] in MERGED)
        return hashlib.sha256(repr((all_of_it, merged)).encode()).hexdigest()

    async def tick(self) -> None:
        """Let all do what is due, until nothing is."""
        for place in self.places.values():
            for _ in range(200):
                if not await place.work.tick(Now(self.clock.now_ms(), caught_up=True)):
                    break
            await self._pass_on(place)

    def _follow(self, topic: str, made: Sequence[Made]) -> None:
        if topic == "agreements":
            self.monitor.books.take([(one.key or b"", one.value) for one in made])
            return
        end = self._ends[topic]
        self._ends[topic] += len(made)
        records = [
            ConsumerRecord(topic, 0, end + number, 0, 0, one.key, one.value, None, 0, 0, one.headers)
            for number, one in enumerate(made)
        ]
        {"responses": self.monitor.on_call.responses, "markers": self.monitor.markers}[topic].take(records)

    async def _pass_on(self, place: Place) -> list[str]:
        written = place.take_written()
        lots: dict[str, list[Made]] = {}
        for topic, key, value, headers in written:
            if topic == "dead-letters":
                letter = decode_dead_letter(value, headers)
                self.reasons[letter.reason] += 1
                if letter.reason == INTERNAL_ERROR:
                    place = letter.detail.partition(": ")[0]
                    self.faults[place] += 1
                    self.examples.setdefault(place, f"{letter.detail}, of {letter.key!r} {letter.value!r}"[:2_000])
            elif topic in self.places or topic == "markers":
                lots.setdefault(topic, []).append(Made(key, value, tuple(headers)))
        for topic, made in lots.items():
            await self.feed(topic, made)
        return [topic for topic, *_ in written]
