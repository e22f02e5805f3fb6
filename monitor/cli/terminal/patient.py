"""Output that holds nothing up: where nobody reads a pipe or a terminal, writing to it waits, and all else with it.

The demonstration and a worker's log write through this: a thread writes, a bounded queue stands before it. Where the
queue is full, the oldest writes are left out, counted, and told of when somebody reads again.
"""

from __future__ import annotations

import errno
import io
import os
import select
import time
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from typing import Final, TextIO

MOST_WAITING: Final = 1 << 20
"""Bytes: some thousands of lines."""
PATIENCE_S: Final = 2.0
"""How long the end of the process waits for a reader that takes nothing."""


def left_out_line(writes: int) -> str:
    """Return the line that stands in the place of left-out lines."""
    return f"… {writes:,} lines were left out: nobody read them\n"


class PatientStream(io.TextIOBase):
    """A text stream whose ``write`` never waits. Each write comes out whole or not at all."""

    def __init__(
        self, fd: int, *, most: int = MOST_WAITING, left_out: Callable[[int], str] = left_out_line, name: str = "output"
    ) -> None:
        self._fd = fd
        self._most = most
        self._left_out = left_out
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._missing = 0
        self._moved_at = 0.0
        self._is_writing = False
        self._error: OSError | None = None
        self._changed = Condition()
        # A daemon: a write that nobody takes must not keep the process.
        Thread(target=self._run, name=f"{name}-writer", daemon=True).start()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # of a stream it may be written to
        """The encoding of the output."""
        return "utf-8"

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return os.isatty(self._fd)

    def fileno(self) -> int:
        """Return where it goes."""
        return self._fd

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Have a text written.

        Raises:
            OSError: an earlier write failed: BrokenPipeError, if whoever read has gone.
        """
        line = text.encode("utf-8", "backslashreplace")
        with self._changed:
            if self._error is not None:
                raise self._error
            self._waiting.append(line)
            self._bytes += len(line)
            while self._bytes > self._most and len(self._waiting) > 1:
                self._bytes -= len(self._waiting.popleft())
                self._missing += 1
            self._changed.notify_all()
        return len(text)

    def drain(self, patience_s: float = PATIENCE_S) -> bool:
        """Wait until all is written; give up where nothing of it has been taken for so long. Return whether it was."""
        with self._changed:
            began = time.monotonic()
            while (self._waiting or self._is_writing) and self._error is None:
                left_s = max(began, self._moved_at) + patience_s - time.monotonic()
                if left_s <= 0:
                    return False
                self._changed.wait(left_s)
            return self._error is None

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._is_writing = False
                    self._changed.notify_all()
                    self._changed.wait()
                self._is_writing = True
                line = self._waiting.popleft()
                self._bytes -= len(line)
                missing, self._missing = self._missing, 0
            try:
                self._out(self._left_out(missing).encode() + line if missing else line)
            except OSError as error:
                with self._changed:
                    self._error = error
                    self._waiting.clear()
                    self._changed.notify_all()
                return

    def _out(self, rest: bytes) -> None:
        while rest:
            try:
                written = os.write(self._fd, rest)
            except OSError as error:
                if error.errno != errno.EAGAIN:
                    raise
                select.select([], [self._fd], [])  # another process of this terminal has made it so
                continue
            rest = rest[written:]
            with self._changed:
                self._moved_at = time.monotonic()
                self._changed.notify_all()


def patient(stream: TextIO, left_out: Callable[[int], str] = left_out_line) -> TextIO | PatientStream:
    """Return a stream that goes where another does and never waits; the same one where it is no file (in tests)."""
    try:
        stream.flush()
        return PatientStream(stream.fileno(), left_out=left_out, name=getattr(stream, "name", "output"))
    except (OSError, ValueError):
        return stream
