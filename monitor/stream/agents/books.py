"""The agreements as every worker knows them: a read model of the compacted topic, followed without a restart.

A record's key is ``agreement/version``, its value the JSON document of that version. A tombstone withdraws the version.
A document that this worker cannot read is reported; the version that was in force stays in force.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from aiokafka.structs import ConsumerRecord

from monitor.config.agreements.checking import book_of, parse_document
from monitor.config.agreements.document import AgreementDocument
from monitor.core.agreements.book import Book
from monitor.core.clocks.terms import Plan
from monitor.core.pieces import Pieces, at_once
from monitor.core.windows.terms import Scope
from monitor.stream.kafka.read_model import Follower
from monitor.stream.partitions.shortage import stop_if_short

log = logging.getLogger(__name__)


def agreement_key(agreement_id: str, version: int) -> bytes:
    """Return the key of a version's record."""
    return f"{agreement_id}/{version}".encode()


class Books:
    """The current book. ``book`` is replaced, never changed; listeners are called after each replacement."""

    def __init__(self, book: Book | None = None) -> None:
        self.book = book or Book()
        self.refused = 0
        self._documents: dict[bytes, AgreementDocument] = {}
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call a listener after each change of the book; return the function that removes the listener."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def documents(self) -> dict[bytes, dict[str, Any]]:
        """Return the documents that make up the book, by the keys of their records."""
        return {key: one.document for key, one in self._documents.items()}

    def take(self, records: list[tuple[bytes, bytes | None]]) -> None:
        """Take over records of the topic, in order."""
        at_once(self.taking(records))

    def taking(self, records: Sequence[tuple[bytes, bytes | None]]) -> Pieces[None]:
        """Do the work of ``take`` in pieces: a document takes some milliseconds, and there may be hundreds.

        The previous book stays in force until all documents are read and fit together. Meanwhile no other records may
        be taken.
        """
        taken = dict(self._documents)
        for key, value in records:
            if value is None:
                taken.pop(key, None)
                continue
            try:
                document = parse_document(orjson.loads(value), key.decode(errors="replace"))
            except Exception as error:  # noqa: BLE001 - any failure refuses this document only: the others must be read
                stop_if_short(error)
                self._refuse(key, error)
                continue
            taken[key] = document
            yield
        if taken == self._documents:
            return
        self._documents, self.book = yield from self._together(taken)
        for listener in tuple(self._listeners):
            listener()

    def _together(self, taken: dict[bytes, AgreementDocument]) -> Pieces[tuple[dict[bytes, AgreementDocument], Book]]:
        """Return the taken documents and their book, without new documents that contradict those in force."""
        try:
            return taken, (yield from _tried(book_of(taken.values())))
        except Exception:
            log.debug("the agreements contradict each other", exc_info=True)
        kept = {key: document for key, document in self._documents.items() if key in taken}
        for key, document in taken.items():
            if kept.get(key) == document:
                continue
            # Only versions of one agreement, or levels above and below each other, can contradict each other.
            others = [
                one
                for other, one in kept.items()
                if other != key and (one.agreement.id == document.agreement.id or one.agreement.form == "multi-level")
            ]
            try:
                yield from _tried(book_of([*others, document]))
            except Exception as error:  # noqa: BLE001 - any failure refuses this document only: the others are kept
                stop_if_short(error)
                self._refuse(key, error)
            else:
                kept[key] = document
            yield
        return kept, book_of(kept.values())

    def _refuse(self, key: bytes, error: Exception) -> None:
        self.refused += 1
        log.error("agreement %r refused, what was in force stays: %s", key.decode(errors="replace"), error)


def _tried(book: Book) -> Pieces[Book]:
    """Return a book after building all that a worker makes of it.

    A book on which that fails must not come into force.
    """
    yield
    Plan(book)
    yield
    Scope(book)
    return book


class SeenBook:
    """The book by which an agent has looked at its rows, beside the one in force."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.book = books.book
        """The book that was looked at last: whoever looks at all rows again sets it."""

    @property
    def is_old(self) -> bool:
        """Whether another book has come into force since."""
        return self._books.book is not self.book


class BookReader(Follower):
    """Follows the agreements topic. `start` returns once every record that the topic holds has been read."""

    def __init__(self, books: Books, bootstrap: str, topic: str, options: Mapping[str, Any]) -> None:
        super().__init__(self._take, bootstrap, topic, options)
        self.books = books

    def _take(self, records: Sequence[ConsumerRecord]) -> Pieces[None]:
        return self.books.taking([(record.key or b"", record.value) for record in records])
