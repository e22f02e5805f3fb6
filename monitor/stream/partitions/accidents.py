"""Checks for accidents to a partition's topics: a lost changelog, a source that was deleted and created again.

The partition's runner makes them. `monitor.stream.partitions.watch` watches the topics while a worker runs.
"""

from __future__ import annotations

import logging

from aiokafka.structs import TopicPartition

from monitor.errors import StateError
from monitor.stream.kafka.batch import Batch
from monitor.stream.kafka.connection import Connection, ends_below
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Upstream

log = logging.getLogger(__name__)


async def check_changelog(state: PartitionState, committed: int | None, connection: Connection) -> None:
    """Make sure that a changelog covers all acknowledged offsets: commits come before acknowledgements.

    Without its rows every event would be judged, and announced, once more. ``committed`` is the group's offset, if any.

    Raises:
        StateError: the changelog was deleted, or has lost its end.
    """
    position = state.position
    if committed is None:
        if position:
            log.warning(
                "%s: offsets up to %d were applied, but the group has committed none. Where the topic was deleted "
                "and created again, its first records are lost: stop the workers, delete %s, and start again",
                state.name, position, state.changelog,
            )  # fmt: skip
        return
    if committed <= position:
        return
    source = TopicPartition(state.topic, state.partition)
    if position and not await connection.has_records(source, position, committed):
        return  # only transaction markers lie between them
    raise StateError(
        f"{state.name}: offsets up to {committed} were acknowledged, but {state.changelog} knows of "
        f"{position or 'none'}: it was deleted and created again, or has lost its end. Restore it, or accept "
        f"that all from there on is judged and told again: stop all workers and run "
        f"sla-monitor topics accept-loss {state.topic}"
    )


async def check_end(state: PartitionState, batch: Batch, upstream: Upstream) -> None:
    """Make sure that a source was not deleted and created again: its first records would be skipped as repeats.

    Raises:
        StateError: the source ends below the position.
    """
    if batch.end <= state.position and batch.highwater < state.position:
        end = await upstream.end_offset()
        if end < state.position:
            raise ends_below(state.name, end, state.position, state.changelog)
