"""A process without memory stops: no record is buried, no row set aside and no agreement refused because of it."""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import Sequence

import pytest
from aiokafka.structs import ConsumerRecord

from monitor.core.pieces import Pieces
from monitor.errors import RowError, StateError
from monitor.stream.agents import books, ingest, markers, responses
from monitor.stream.agents.books import Books
from monitor.stream.agents.ingest import Ingest
from monitor.stream.agents.markers import Markers
from monitor.stream.agents.responses import Responses
from monitor.stream.agents.tally import Outlets, Tally
from monitor.stream.partitions import shortage
from monitor.stream.partitions.containment import Containment
from monitor.stream.partitions.partition import PartitionState
from monitor.stream.partitions.ports import Now
from monitor.stream.partitions.shortage import NO_MEMORY, PROBE_BYTES, stop_if_short
from monitor.stream.partitions.sources import Burial, Source
from monitor.stream.partitions.stats import PartitionStats
from monitor.wire.rows import SOURCE_ROWS
from tests.stream.counting import Counting, CountingCodec
from tests.stream.fakes import FakeWriter, record


def spent(*_: object, **__: object) -> None:
    raise MemoryError


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process has no memory left."""
    monkeypatch.setattr(shortage, "is_there", lambda _size: False)


class Greedy(Counting):
    """Counts, and finds no memory for some records, rows and ticks."""

    def __init__(self, state: PartitionState) -> None:
        super().__init__(state, silence_ms=100, grace_ms=0, alerts="alerts", silent="silent")

    def batch(
        self,
        records: Sequence[ConsumerRecord],
        now: Now,
        *,
        due: bool = True,
    ) -> Pieces[None]:
        for one in records:
            if one.value == b"greedy":
                raise MemoryError
            yield from super().batch((one,), now, due=due)

    def tick(self, now: Now) -> Pieces[bool]:  # noqa: ARG002 - the protocol's
        raise MemoryError


class Scene:
    """A partition in front of a processor that finds no memory, and what was buried."""

    def __init__(self) -> None:
        self.state = PartitionState(
            topic="in", partition=0, changelog="app-in-state", codec=CountingCodec(), writer=FakeWriter()
        )
        self.buried: list[tuple[int, str]] = []
        source = Source(topic="in", processor=Greedy, codec=CountingCodec(), burial=Burial(self._bury))
        self.work = Containment(self.state, source, Greedy(self.state), PartitionStats(), self.state.commit)

    def _bury(self, state: PartitionState, one: ConsumerRecord, reason: str, detail: str) -> None:
        state.emit("dead-letters", b"%d" % one.offset, one.value)
        self.buried.append((one.offset, f"{reason}: {detail}"))

    async def take(self, *values: bytes) -> None:
        records = [record(offset=offset, key=b"k", value=value) for offset, value in enumerate(values)]
        await self.work.batch(records, len(records), Now(0, caught_up=True))


@pytest.mark.usefixtures("short")
async def test_a_batch_for_which_no_memory_is_left_stops_the_worker_and_buries_nothing() -> None:
    scene = Scene()

    with pytest.raises(StateError, match="no memory left"):
        await scene.take(b"1", b"greedy", b"1")

    assert scene.buried == []
    assert scene.state.position == 0


async def test_a_record_that_wants_more_than_there_is_becomes_a_dead_letter_where_memory_is_left() -> None:
    scene = Scene()

    await scene.take(b"1", b"greedy", b"1")

    ((offset, why),) = scene.buried
    assert offset == 1
    assert why.startswith("internal_error: MemoryError at")
    assert scene.state.position == 3


@pytest.mark.usefixtures("short")
async def test_a_tick_for_which_no_memory_is_left_stops_the_worker_and_sets_no_row_aside() -> None:
    scene = Scene()

    with pytest.raises(StateError, match="no memory left"):
        await scene.work.tick(Now(0, caught_up=True))

    assert not scene.state.set_aside.keys


@pytest.mark.usefixtures("short")
def test_an_event_that_cannot_be_decoded_for_lack_of_memory_is_no_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "decode", spent)
    state = PartitionState(topic="tickets", partition=0, changelog="c", codec=SOURCE_ROWS, writer=FakeWriter())
    outlets = Outlets(
        alerts="alerts", partials="partials", partials_partitions=1, dead_letters="dead", status="status",
        statements="statements",
    )  # fmt: skip
    processor = Ingest(
        state, subject="ticket", books=Books(), outlets=outlets, tally=Tally(), retention_ms=1, lateness_ms=0
    )

    with pytest.raises(StateError, match="no memory left"):
        list(processor.batch([record(offset=0, key=b"T-1", value=b"{}")], Now(0, caught_up=True)))


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("of", ["agreements", "responses", "markers"])
def test_what_all_workers_read_is_not_refused_for_lack_of_memory(monkeypatch: pytest.MonkeyPatch, of: str) -> None:
    monkeypatch.setattr(books, "parse_document", spent)
    monkeypatch.setattr(responses, "decode_response", spent)
    monkeypatch.setattr(markers, "decode_source_marker", spent)
    one = record(offset=0, key=b"k", value=b"{}")
    take = {
        "agreements": lambda: Books().take([(one.key, one.value)]),
        "responses": lambda: Responses().take([one]),
        "markers": lambda: Markers().take([one]),
    }[of]

    with pytest.raises(StateError, match="no memory left"):
        take()


@pytest.mark.usefixtures("short")
def test_the_cause_of_a_row_that_does_not_encode_counts() -> None:
    error = RowError(b"k", "does not encode")
    stop_if_short(error)  # another cause: its neighbours go on

    error.__cause__ = MemoryError()
    with pytest.raises(StateError) as stopped:
        stop_if_short(error)
    assert str(stopped.value) == NO_MEMORY


_LIMITED = f"""
from monitor.stream.partitions.shortage import is_there
from monitor.stream.partitions.ports import Now
assert is_there({PROBE_BYTES})
held = []
try:
    while True:
        held.append(bytearray(1 << 20))
except MemoryError:
    print(is_there({PROBE_BYTES}), flush=True)
held.clear()
print(is_there({PROBE_BYTES}), flush=True)
"""


async def test_a_real_limit_is_noticed_and_so_is_what_was_let_go_of() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"input(){_LIMITED}", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    resource.prlimit(process.pid, resource.RLIMIT_DATA, (256 << 20, 256 << 20))

    out, _ = await process.communicate(b"\n")

    assert out.split() == [b"False", b"True"]
