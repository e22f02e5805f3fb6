"""The counters of a worker: plain numbers for the exporter."""

from __future__ import annotations

from monitor.counters import PartitionStats


class Stats:
    """The counters of one worker. Those of a revoked partition disappear."""

    def __init__(self) -> None:
        self.partitions: dict[tuple[str, int], PartitionStats] = {}
        """By topic and partition, of those that this worker owns."""
        self.rebalances = 0
        self.stalls = 0
        """How often the process stood still for over half a second."""
        self.clock_steps = 0
        """How often the host's clock was set, by more than half a second."""

    def partition(self, topic: str, partition: int) -> PartitionStats:
        """Return the counters of a partition, new ones if it was not owned."""
        return self.partitions.setdefault((topic, partition), PartitionStats())

    def forget(self, topic: str, partition: int) -> None:
        """Drop the counters of a revoked partition."""
        self.partitions.pop((topic, partition), None)
