"""Dead letters: records that could not be used, with their place and the reason, to be read or sent again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from monitor.errors import DecodeError
from monitor.wire.contract import REASONS
from monitor.wire.mapping_rules import REASONS as MAPPING_REASONS

_OF_FILES: Final = frozenset({"stale_row", "wrong_columns", "line_too_long"})
REJECTED: Final = "rejected"
INTERNAL_ERROR: Final = "internal_error"
SKIPPED: Final = "skipped"
FOREIGN: Final = "foreign_record"
NEWER_LAYOUT: Final = "newer_layout"
UNREADABLE: Final = "unreadable_batch"

DEAD_LETTER_REASONS: Final[dict[str, str]] = {
    **{reason: text for reason, text in MAPPING_REASONS.items() if reason not in _OF_FILES},
    **REASONS,
    REJECTED: "the mapping of its topic rejects such records; the detail says why",
    "id_reused": "the subject has another event of the same id",
    "ledger_full": "the subject has as many events, or as much text in them, as a row may hold",
    "in_the_future": "the event time lies far ahead of the monitor's clock",
    FOREIGN: "the record stands on a topic of the monitor's own, and is none of its records",
    NEWER_LAYOUT: "a worker of a newer release wrote the record, in a layout that this one does not know yet",
    INTERNAL_ERROR: "the monitor failed on the record, by a fault of its own; the detail says where",
    UNREADABLE: "a whole batch cannot be read: its codec is unknown, it is damaged, or it inflates to far too much",
    SKIPPED: "an operator has had the record skipped; the detail says why",
}
"""The reasons for which records become dead letters: they do not decode (`REASONS`), do not map, or their events are
not taken. A closed set."""

MAX_VALUE: Final = 6 << 20
"""The most original bytes that a letter keeps: every record within a topic's usual limits is kept whole."""
LARGEST_VALUE: Final = 7 << 20
"""The largest value that the settings may choose instead: a larger letter might not fit in a record of ours (8 MiB) and
would hold up its partition for ever."""
MAX_KEY: Final = 16 << 10
MAX_HEADERS: Final = 32 << 10
MAX_DETAIL: Final = 1 << 10
TRUNCATED: Final = "truncated"
"""The header that names the parts that were cut."""
_ORIGINAL: Final = "original."
LETTER_HEADERS: Final[dict[str, tuple[str, bool]]] = {
    "topic": ("the topic of the record", True),
    "partition": ("its partition", True),
    "offset": ("its offset", True),
    "reason": ("why it could not be used: " + ", ".join(DEAD_LETTER_REASONS), True),
    "detail": ("the same in words", True),
    "key": ("its key, if it had one", False),
    TRUNCATED: ("which parts were cut", False),
}
"""The headers of a dead letter of its own: what each means, and whether every letter has it."""


class DeadLetter(NamedTuple):
    """A record that could not be used.

    ``truncated`` names the parts that were cut because they are too long (``value``, ``key``, ``headers``): such a
    letter can be looked at, not sent again.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    truncated: tuple[str, ...] = ()


def encode_dead_letter(
    topic: str,
    partition: int,
    offset: int,
    reason: str,
    detail: str,
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes | None]] = (),
    *,
    max_bytes: int = MAX_VALUE,
) -> tuple[bytes, bytes | None, list[tuple[str, bytes]]]:
    """Return key, value and headers of the dead letter of a record.

    The key is ``topic/partition/offset``. The value is the original bytes up to ``max_bytes``; a tombstone stays one.
    The headers are `LETTER_HEADERS`, and the original headers under ``original.<name>``. Original headers without a
    value come back empty.
    """
    told = [
        ("topic", topic.encode()),
        ("partition", b"%d" % partition),
        ("offset", b"%d" % offset),
        ("reason", reason.encode()),
        ("detail", detail.encode(errors="replace")[:MAX_DETAIL]),
    ]
    truncated = []
    if value is not None and len(value) > max_bytes:
        truncated.append("value")
        value = value[:max_bytes]
    if key is not None:
        if len(key) > MAX_KEY:
            truncated.append("key")
        told.append(("key", key[:MAX_KEY]))
    kept = []
    room = MAX_HEADERS
    for name, text in headers:
        room -= len(name) * 4 + len(text or b"")  # a character takes up to four bytes
        if room < 0:
            truncated.append("headers")
            break
        kept.append((_ORIGINAL + name, text or b""))
    if truncated:
        told.append((TRUNCATED, ",".join(truncated).encode()))
    return f"{topic}/{partition}/{offset}".encode(), value, told + kept


def decode_dead_letter(value: bytes | None, headers: Sequence[tuple[str, bytes | None]]) -> DeadLetter:
    """Return the dead letter that a record of the dead-letter topic holds.

    Raises:
        DecodeError: it holds none: a header is missing (``missing_field``) or has a wrong value (``wrong_type``).
    """
    own = {name: text or b"" for name, text in headers if not name.startswith(_ORIGINAL)}
    try:
        return DeadLetter(
            own["topic"].decode(),
            int(own["partition"]),
            int(own["offset"]),
            own["reason"].decode(),
            # The detail may have been cut inside a character.
            own["detail"].decode(errors="ignore"),
            own.get("key"),
            value,
            tuple((name[len(_ORIGINAL) :], text or b"") for name, text in headers if name.startswith(_ORIGINAL)),
            tuple(own[TRUNCATED].decode().split(",")) if TRUNCATED in own else (),
        )
    except KeyError as error:
        raise DecodeError("missing_field", f"not a dead letter: no header {error.args[0]}") from None
    except ValueError as error:
        raise DecodeError("wrong_type", f"not a dead letter: {error}") from None
