"""Content of files and of standard input, gzipped or not, and its lines, each with a bounded length."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from monitor.errors import ConfigError, Mistake

LONGEST_LINE: Final = 8 << 20
"""A longer line is no record: Kafka takes none so long either. A gzipped megabyte may hold a line of a gigabyte."""
LINE_TOO_LONG: Final = "line_too_long"
"""The reason for which such a line is rejected."""
TOO_LONG: Final = f"it has more than {LONGEST_LINE >> 20} MiB"
UNREADABLE: Final = (OSError, EOFError, zlib.error)
"""What is raised while a file is read that is not there, may not be read, or is damaged."""
STDIN: Final = Path("-")
"""The path that stands for standard input."""

_PIECE: Final = 1 << 16
_GZIP: Final = b"\x1f\x8b"
_OTHER_CONTENT: Final = (
    (b"PK\x03\x04", "is a ZIP archive or a spreadsheet (.xlsx)", "unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "is a spreadsheet (.xls)", "save the sheet as CSV"),
    (b"BZh", "is compressed with bzip2", "unpack it, or compress it with gzip"),
    (b"\xfd7zXZ", "is compressed with xz", "unpack it, or compress it with gzip"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd", "unpack it, or compress it with gzip"),
    (b"\xff\xfe", "is UTF-16", "save it as UTF-8"),
    (b"\xfe\xff", "is UTF-16", "save it as UTF-8"),
    (b"PAR1", "is a Parquet file", "export it as CSV"),
)
"""First bytes of what people hand over instead of a text, what it is, and what to do."""


def name_of(path: Path) -> str:
    """Return the name by which people know an input."""
    return "standard input" if path == STDIN else path.name


def mistake_in(path: Path, message: str, hint: str = "", line: int | None = None) -> ConfigError:
    """Return the error for an input that cannot be read as it is."""
    file = name_of(path) if path == STDIN else str(path)
    return ConfigError([Mistake(file=file, line=line, path="", message=message, hint=hint)])


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, io.BufferedReader]]:
    """Open an input: its bytes as they stand there, which tell how far it is read, and its content.

    Whether it is gzipped is told by its first bytes, not by its name.

    Raises:
        ConfigError: it holds something else than text.
    """
    if path == STDIN:
        with _content(path, io.BufferedReader(cast("io.RawIOBase", sys.stdin.buffer))) as content:
            yield sys.stdin.buffer, content
        return
    with path.open("rb") as raw, _content(path, raw) as content:
        yield raw, content


@contextmanager
def _content(path: Path, raw: io.BufferedReader) -> Iterator[io.BufferedReader]:
    first = raw.peek(8)
    for begin, message, hint in _OTHER_CONTENT:
        if first.startswith(begin):
            raise mistake_in(path, message, hint)
    if not first.startswith(_GZIP):
        yield raw
        return
    with gzip.GzipFile(fileobj=raw) as unzipped:
        yield io.BufferedReader(cast("io.RawIOBase", unzipped))


def lines_of(content: IO[bytes]) -> Iterator[bytes | None]:
    """Yield each line; None for one of more than `LONGEST_LINE`, which is passed over piece by piece."""
    while line := content.readline(LONGEST_LINE + 1):
        if len(line) <= LONGEST_LINE or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = content.readline(_PIECE)
        yield None
