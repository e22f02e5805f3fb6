"""What time it is for an installation: real time, or what its own clock shows where it tells one (a demonstration).

Whoever reads the topics takes the time from here, so that instants on the topics and "now" are of one clock. Nothing
else on the topics is asked: while they are silent, time passes all the same.
"""

from __future__ import annotations

from monitor.config.settings.settings import Settings
from monitor.errors import DecodeError
from monitor.read_model.topics import read_all
from monitor.stream.partitions.clock import wall_ms
from monitor.wire.markers import CLOCK_KEY, REAL_TIME, ClockMarker, decode_clock_marker


async def clock_of(settings: Settings) -> ClockMarker:
    """Return the clock of an installation: what the newest record says that tells one, else real time.

    Raises:
        BrokerError: the topic of markers does not exist, or Kafka does not answer.
    """
    found = REAL_TIME
    for record in await read_all(settings, settings.topics.markers):
        if record.key == CLOCK_KEY:
            try:
                found = decode_clock_marker(record.value)
            except DecodeError:
                continue
    return found


async def present_ms(settings: Settings) -> int:
    """Return the present instant by the clock of an installation, epoch milliseconds. See `clock_of`."""
    return (await clock_of(settings)).at(wall_ms())
