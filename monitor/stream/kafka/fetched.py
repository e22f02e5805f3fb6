"""The reader of fetched batches, made so that no batch of records can stop its reader.

aiokafka reads a batch as a whole or not at all, and its error stops the reader. Producers can write batches on which it
fails at every start: with header names that are not UTF-8 (brokers do not check), compressed so that a megabyte becomes
ten gigabytes, or with a codec that is not installed. This module changes three things:

- a compressed batch is inflated within a bound;
- header names that are not UTF-8 are read as other readers read them, with a replacement character;
- a batch that cannot be read at all becomes one record, whose value is `Unreadable`: the bytes of the batch. It becomes
  a dead letter, and the offset moves on.

`install` makes every consumer of the process read in this way; ``tests/stream/kafka/test_fetched.py`` is the contract
over the parts of aiokafka that are used.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.record import default_records, memory_records
from aiokafka.record.default_records import DefaultRecord, DefaultRecordBatch, _DefaultRecordBatchPy

MAX_INFLATED: Final = 64 << 20
"""Bytes of an inflated batch: over six times the largest batch that our topics take."""

_OVERHEAD: Final = struct.Struct(">qi")
"""Base offset and length, at the start of every batch."""
_ATTRIBUTES: Final = struct.Struct(">h")
_ATTRIBUTES_AT: Final = _DefaultRecordBatchPy.ATTRIBUTES_OFFSET
_HEADER: Final = _DefaultRecordBatchPy.HEADER_STRUCT.size
_CODEC: Final = 0x07
_MAGIC_AT: Final = 16
_WITH_HEADERS: Final = 2
"""The first batch format in which records have headers and a codec applies to the batch as a whole."""
_XERIAL: Final = b"\x82SNAPPY\x00"
_XERIAL_HEAD: Final = 16
_FIRST_GUESS: Final = 1 << 20


class Unreadable(bytes):
    """The bytes of a batch that cannot be read, as the value of one record that replaces it. ``why`` is the reason."""

    why: str

    def __new__(cls, batch: bytes, why: str) -> Self:
        """Make the value of the one record that stands for a batch."""
        made = super().__new__(cls, batch)
        made.why = why
        return made


class FetchedRecords:
    """The batches of a fetch, with the interface of aiokafka's ``MemoryRecords``; each batch is a `_Batch`."""

    def __init__(self, data: bytes) -> None:
        self._batches: Any = memory_records.MemoryRecords(data)
        self._data = data
        self._at = 0

    def size_in_bytes(self) -> int:
        """Return the number of bytes of the fetch."""
        size: int = self._batches.size_in_bytes()
        return size

    def has_next(self) -> bool:
        """Return whether there is another whole batch."""
        there_is: bool = self._batches.has_next()
        return there_is

    def next_batch(self) -> _Batch:
        """Return the next batch."""
        start = self._at
        _, length = _OVERHEAD.unpack_from(self._data, start)
        self._at = start + _OVERHEAD.size + length
        return _Batch(self._batches.next_batch(), memoryview(self._data)[start : self._at])


class _Batch:
    """One batch. Only its records are read in our way; every other attribute is that of aiokafka's batch."""

    __slots__ = ("_batch", "_raw")

    def __init__(self, batch: Any, raw: memoryview) -> None:  # noqa: ANN401 - compiled, without types
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute that aiokafka reads
        return getattr(self._batch, name)

    def __next__(self) -> Any:  # noqa: ANN401 - compiled, without types
        return next(self._batch)  # aiokafka calls it for control batches

    def __iter__(self) -> Iterator[Any]:
        newest = -1
        try:
            for record in inflated(self._batch, self._raw):
                newest = record.offset
                yield record
        except Exception as error:  # noqa: BLE001 - any failure: the next batch must be reached
            yield from self._leniently(newest, error)

    def _leniently(self, newest: int, error: Exception) -> Iterator[Any]:
        """Yield the records after an offset.

        They are read with a tolerant decoder of header names. If that fails, one record stands for the whole batch.
        """
        if isinstance(error, UnicodeDecodeError):
            try:
                for record in _with_any_names(self._batch, self._raw):
                    if record.offset > newest:
                        newest = record.offset
                        yield record
            except Exception as other:  # noqa: BLE001 - see above
                error = other
            else:
                return
        last = max(newest + 1, self._batch.next_offset - 1)
        why = f"{type(error).__name__}: {error}"
        yield DefaultRecord(last, 0, 0, None, Unreadable(bytes(self._raw), why), [])


def inflated(batch: Any, raw: memoryview) -> Any:  # noqa: ANN401 - compiled, without types
    """Return a batch with uncompressed records, inflated within the bound.

    Raises:
        ValueError: the batch is too large, or its codec is unknown.
        Exception: any error of the codec for bytes that it did not write.
    """
    if raw[_MAGIC_AT] < _WITH_HEADERS:
        return batch
    (attributes,) = _ATTRIBUTES.unpack_from(raw, _ATTRIBUTES_AT)
    codec = attributes & _CODEC
    if not codec:
        return batch
    if codec not in _INFLATE:
        raise ValueError(f"codec {codec} is unknown")
    records = _INFLATE[codec](raw[_HEADER:])
    head = bytearray(raw[:_HEADER])
    _ATTRIBUTES.pack_into(head, _ATTRIBUTES_AT, attributes & ~_CODEC)
    return DefaultRecordBatch(bytes(head) + records)


def _gzip(data: memoryview) -> bytes:
    parts, size, rest = [], 0, bytes(data)
    while rest:
        stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
        parts.append(stream.decompress(rest, MAX_INFLATED + 1 - size))
        size += len(parts[-1])
        if size > MAX_INFLATED or not stream.eof:
            raise _too_large() if size > MAX_INFLATED else ValueError("the gzip stream ends too early")
        rest = stream.unused_data
    return b"".join(parts)


def _snappy(data: memoryview) -> bytes:
    if bytes(data[: len(_XERIAL)]) != _XERIAL:
        return _snappy_block(data, MAX_INFLATED)
    parts, size, at = [], 0, _XERIAL_HEAD
    while at < len(data):
        (length,) = struct.unpack_from(">i", data, at)
        if length < 0:
            raise ValueError(f"a snappy block of {length} bytes")
        at += 4
        parts.append(_snappy_block(data[at : at + length], MAX_INFLATED - size))
        size += len(parts[-1])
        at += length
    return b"".join(parts)


def _snappy_block(data: memoryview, room: int) -> bytes:
    if cramjam.snappy.decompress_raw_len(data) > room:
        raise _too_large()
    return bytes(cramjam.snappy.decompress_raw(data))


def _into(decompress: Callable[[memoryview, bytearray], int]) -> Callable[[memoryview], bytes]:
    """Return a function that inflates into buffers of growing size: the size of the result is not known before."""

    def inflate(data: memoryview) -> bytes:
        size = min(MAX_INFLATED, max(_FIRST_GUESS, 8 * len(data)))
        while True:
            room = bytearray(size)
            try:
                return bytes(memoryview(room)[: decompress(data, room)])
            except cramjam.DecompressionError:
                if size == MAX_INFLATED:
                    raise
                size = min(MAX_INFLATED, 4 * size)

    return inflate


def _too_large() -> ValueError:
    return ValueError(f"the batch inflates to more than {MAX_INFLATED:,} bytes")


_INFLATE: Final[dict[int, Callable[[memoryview], bytes]]] = {
    _DefaultRecordBatchPy.CODEC_GZIP: _gzip,
    _DefaultRecordBatchPy.CODEC_SNAPPY: _snappy,
    _DefaultRecordBatchPy.CODEC_LZ4: _into(cramjam.lz4.decompress_into),
    _DefaultRecordBatchPy.CODEC_ZSTD: _into(cramjam.zstd.decompress_into),
}


class _Lenient(bytearray):
    """Bytes whose slices decode with a replacement character."""

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - an index or a slice
        found = super().__getitem__(key)
        return _Lenient(found) if isinstance(key, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:  # noqa: ARG002 - never strict
        return bytes(self).decode(encoding, "replace")


def _with_any_names(batch: Any, raw: memoryview) -> Iterator[Any]:  # noqa: ANN401 - compiled, without types
    """Yield the records of a batch by aiokafka's reader in Python, which accepts any bytes as names of headers."""
    (attributes,) = _ATTRIBUTES.unpack_from(raw, _ATTRIBUTES_AT)
    codec = attributes & _CODEC
    whole = bytearray(raw[:_HEADER])
    _ATTRIBUTES.pack_into(whole, _ATTRIBUTES_AT, attributes & ~_CODEC)
    whole += _INFLATE[codec](raw[_HEADER:]) if codec else raw[_HEADER:]
    read = default_records._DefaultRecordBatchPy(whole)  # noqa: SLF001 - the reader that is not compiled
    read._buffer = _Lenient(read._buffer)  # noqa: SLF001
    assert batch.base_offset == read.base_offset
    yield from read


def install() -> None:
    """Make every consumer of this process read its fetches in this way."""
    fetcher.MemoryRecords = FetchedRecords
