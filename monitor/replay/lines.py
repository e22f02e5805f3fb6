"""Lines of files, gzipped or not, each with a bounded length: the input of the readers of recorded data."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final

LONGEST_LINE: Final = 8 << 20
"""A longer line is no record: Kafka takes none so long either. A gzipped megabyte may hold a line of a gigabyte."""
LINE_TOO_LONG: Final = "line_too_long"
"""The reason for which such a line is rejected."""
TOO_LONG: Final = f"it has more than {LONGEST_LINE >> 20} MiB"
UNREADABLE: Final = (OSError, EOFError, zlib.error)
"""What is raised while a file is read that is not there, may not be read, or is damaged."""

_PIECE: Final = 1 << 16


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, IO[bytes]]]:
    """Open a file: its bytes as they stand there, which tell how far it is read, and its content."""
    with path.open("rb") as raw:
        if path.suffix != ".gz":
            yield raw, raw
            return
        with gzip.GzipFile(fileobj=raw) as unzipped:
            yield raw, io.BufferedReader(unzipped)


def lines_of(content: IO[bytes]) -> Iterator[bytes | None]:
    """Yield each line; None for one of more than `LONGEST_LINE`, which is passed over piece by piece."""
    while line := content.readline(LONGEST_LINE + 1):
        if len(line) <= LONGEST_LINE or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = content.readline(_PIECE)
        yield None
