"""No batch of records stops its reader: neither strange header names, nor bombs, nor unknown codecs."""

from __future__ import annotations

import gzip
import struct
import tracemalloc

import cramjam
import pytest
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from monitor.stream.kafka import fetched
from monitor.stream.kafka.fetched import FetchedRecords, Unreadable, install

HEAD = 61
CODECS = {
    "none": (0, lambda data: data),
    "gzip": (1, gzip_encode),
    "snappy": (2, snappy_encode),
    "raw snappy": (2, lambda data: snappy_encode(data, xerial_compatible=False)),
    "lz4": (3, lz4_encode),
    "zstd": (4, zstd_encode),
}


def batch(
    *values: bytes,
    name: bytes = b"h",
    base: int = 0,
    codec: str = "none",
    payload: bytes | None = None,
    key: bytes = b"k",
) -> bytes:
    """A batch as a producer may write it; ``name`` is the header's, as bytes."""
    mark = name if name.isascii() else b"X" * len(name)
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 26)
    for offset, value in enumerate(values):
        builder.append(offset, 1_700_000_000_000, key, value, [(mark.decode(), b"v")])
    plain = bytearray(builder.build())
    number, compress = CODECS[codec]
    records = bytes(plain[HEAD:]).replace(mark, name)
    body = plain[:HEAD] + (bytes(compress(records)) if payload is None else payload)
    struct.pack_into(">q", body, 0, base)
    struct.pack_into(">i", body, 8, len(body) - 12)
    struct.pack_into(">h", body, 21, number)
    struct.pack_into(">I", body, 17, calc_crc32c(bytes(body[21:])))
    return bytes(body)


def read(*batches: bytes, start: int = 0, reader: type = FetchedRecords) -> list[ConsumerRecord]:
    """What a consumer makes of a fetch."""
    tp = TopicPartition("in", 0)
    records = reader(b"".join(batches))
    return list(PartitionRecords(tp, records, [], start, None, None, True, READ_COMMITTED))


@pytest.mark.parametrize("codec", CODECS)
@given(values=st.lists(st.binary(max_size=50), min_size=1, max_size=20), start=st.integers(0, 25))
def test_what_is_well_is_read_as_aiokafka_reads_it(codec: str, values: list[bytes], start: int):
    batches = batch(*values, codec=codec), batch(b"last", base=len(values), codec=codec)

    found = read(*batches, start=start)

    assert found == read(*batches, start=start, reader=MemoryRecords)
    assert found[-1].value == b"last"


@pytest.mark.parametrize("codec", CODECS)
def test_a_header_whose_name_is_no_utf_8_is_read_with_a_replacement(codec: str):
    found = read(batch(b"a", b"b", name=b"\xff\xfe", codec=codec), batch(b"c", base=2))

    assert [one.value for one in found] == [b"a", b"b", b"c"]
    assert [one.headers[0][0] for one in found] == ["\ufffd\ufffd", "\ufffd\ufffd", "h"]


ZEROS = bytes(fetched.MAX_INFLATED + 1)
BOMBS = {
    "gzip": gzip.compress(ZEROS),
    "snappy": snappy_encode(ZEROS),
    "raw snappy": bytes(cramjam.snappy.compress_raw(ZEROS)),
    "lz4": bytes(cramjam.lz4.compress(ZEROS)),
    "zstd": bytes(cramjam.zstd.compress(ZEROS)),
}


@pytest.mark.parametrize("codec", BOMBS)
def test_a_batch_that_inflates_beyond_the_bound_becomes_one_record_and_the_next_is_reached(codec: str):
    bomb = batch(b"a", b"b", codec=codec, payload=BOMBS[codec])

    tracemalloc.start()
    found = read(bomb, batch(b"c", base=2))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [one.offset for one in found] == [1, 2]
    assert isinstance(found[0].value, Unreadable)
    assert found[0].value == bomb
    assert found[1].value == b"c"
    assert peak < 4 * fetched.MAX_INFLATED


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        ("gzip", b"no gzip"), ("gzip", gzip.compress(b"x" * 1000, mtime=0)[:-9]),
        ("snappy", b"\x82SNAPPY\x00" + b"\xff" * 30),
        ("lz4", b"no lz4"), ("zstd", b"no zstd"), ("none", b"\x00" * 3), ("none", b"\xff" * 40),
    ],
)  # fmt: skip
def test_a_batch_that_is_damaged_becomes_one_record_that_says_why(codec: str, payload: bytes):
    found = read(batch(b"a", b"b", codec=codec, payload=payload), batch(b"c", base=2))

    assert [one.offset for one in found] == [1, 2]
    assert isinstance(found[0].value, Unreadable)
    assert found[0].value.why


def test_a_codec_that_nobody_knows_is_said():
    raw = bytearray(batch(b"a"))
    struct.pack_into(">h", raw, 21, 7)
    struct.pack_into(">I", raw, 17, calc_crc32c(bytes(raw[21:])))

    (found,) = read(bytes(raw))

    assert found.value.why == "ValueError: codec 7 is unknown"


def test_every_consumer_of_the_process_reads_in_this_way():
    install()

    assert fetcher.MemoryRecords is FetchedRecords


def test_codecs_and_their_numbers_are_those_of_aiokafka():
    for codec, (number, _) in CODECS.items():
        builder = DefaultRecordBatchBuilder(2, number, 0, -1, -1, -1, 1 << 20)
        builder.append(0, 0, b"k", b"v" * 1000, [])
        if codec != "raw snappy":
            assert read(bytes(builder.build()))[0].value == b"v" * 1000
