"""The topics that a worker consumes: the work on each, and the dead letters of records that cannot be used.

`monitor.pipeline` makes one `Source` per topic; the runners of its partitions work by it.
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
"""Makes a dead letter of a record, with a reason and a detail."""

ProcessorFactory = Callable[[PartitionState], Processor]
"""Makes the processor of a partition once its rows were read. `Processor.restore` is called next."""


@dataclass(frozen=True, slots=True)
class Burial:
    """The treatment of records that are not worked on, shared by all topics of a worker.

    ``bury`` takes records on which the work fails, and those that ``skips`` names, with the operator's reason.
    """

    bury: Bury
    skips: Callable[[], Mapping[Place, str]] = dict


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A topic that the worker consumes: the work on it and the encoding of its rows.

    ``partitions``: partitions from this number on are not worked on (`monitor.stream.partitions.watch` reports them).
    ``let_go`` is called for each partition that the worker gives away, as soon as no more work may be done for it and
    again at the end. Without ``burial`` a record on which the work fails stops the worker.
    """

    topic: str
    processor: ProcessorFactory
    codec: RowCodec
    partitions: int = sys.maxsize
    let_go: Callable[[PartitionState], None] = lambda _state: None
    burial: Burial | None = None
