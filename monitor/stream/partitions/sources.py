"""The topics that a worker consumes: what is done with each, and where its records go that are of no use.

`monitor.bootstrap` makes one `Source` a topic; the runners of its partitions work by it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiokafka.structs import ConsumerRecord

from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Processor, RowCodec

Place = tuple[str, int, int]
"""Topic, partition and offset of a record."""

Bury = Callable[[PartitionState, ConsumerRecord, str, str], None]
"""Makes a dead letter of a record, for a reason and with a detail."""

ProcessorFactory = Callable[[PartitionState], Processor]
"""Makes the processor of a partition, after its rows were restored. `Processor.restore` comes next."""


@dataclass(frozen=True, slots=True)
class Burial:
    """What becomes of records that are not worked on: one and the same for all topics of a worker.

    ``bury`` takes records on which the work fails, and those that ``skips`` names, with the operator's reason.
    """

    bury: Bury
    skips: Callable[[], Mapping[Place, str]] = dict


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A topic that the worker consumes: what is done with it and how its rows are encoded.

    ``partitions``: those from this number on are not worked on (`monitor.stream.partitions.watch` tells of them).
    ``let_go`` is told of each partition that the worker gives away as soon as nothing more may be done for it, and
    again at the end. Without ``burial`` a record on which the work fails stops the worker.
    """

    topic: str
    processor: ProcessorFactory
    codec: RowCodec
    partitions: int = sys.maxsize
    let_go: Callable[[PartitionState], None] = lambda _state: None
    burial: Burial | None = None
