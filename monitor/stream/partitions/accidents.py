"""Accidents that a partition's runner looks for: a changelog that was lost, a source that was deleted and made anew.

What happens to topics under a running worker is watched by `monitor.stream.partitions.watch`.
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
    """Make sure that a changelog knows of all that was acknowledged: commits come before acknowledgements.

    Without its rows everything would be judged, and told, once more. ``committed`` is the group's offset, if any.

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
        return  # markers of transactions only
    raise StateError(
        f"{state.name}: offsets up to {committed} were acknowledged, but {state.changelog} knows of "
        f"{position or 'none'}: it was deleted and created again, or has lost its end. Restore it, or accept "
        f"that all from there on is judged and told again: stop all workers and run "
        f"sla-monitor topics accept-loss {state.topic}"
    )


async def check_end(state: PartitionState, batch: Batch, upstream: Upstream) -> None:
    """Notice that a source was deleted and created again: its first records would be taken for repeats.

    Raises:
        StateError: it ends below the position.
    """
    if batch.end <= state.position and batch.highwater < state.position:
        end = await upstream.end_offset()
        if end < state.position:
            raise ends_below(state.name, end, state.position, state.changelog)
