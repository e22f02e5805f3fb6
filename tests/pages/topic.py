"""The topic of responses of a site, without Kafka: what is written is read back at once."""

from __future__ import annotations

import asyncio

from monitor.read_model.live import Live
from monitor.wire.responses import encode_response
from tests.pages import records


class Topic:
    """The source of a site, and its way to write; ``failure_of_kafka`` is raised instead."""

    failure = ""
    is_complete = True
    read_share = 1.0

    def __init__(self, said):
        self.live = Live(records.TOPICS)
        self.live.take(said)
        self.written = []
        self.failure_of_kafka = None
        self._news = asyncio.Event()

    async def news(self):
        await self._news.wait()

    def take(self, lot):
        """Take over records, and tell whoever waits."""
        self.live.take(lot)
        self._news.set()
        self._news = asyncio.Event()

    async def write(self, responses, *, without):
        if self.failure_of_kafka:
            raise self.failure_of_kafka
        lot = [(key, None) for key in without] + [encode_response(one) for one in responses]
        self.written += list(responses) + list(without)
        self.take([records.record(records.TOPICS.responses, *one) for one in lot])
