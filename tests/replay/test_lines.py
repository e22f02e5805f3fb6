"""Lines that are too long, also in files that are small: a gzipped megabyte may hold a gigabyte."""

import gzip
import subprocess
import sys
import zlib

import pytest

from monitor.errors import ConfigError
from monitor.replay.lines import LONGEST_LINE
from monitor.replay.own_events import read_own_events
from monitor.replay.readers import read_events
from tests.replay.foreign import mapping

OF = mapping("events: [{type: opened, at: opened_at}]\n")
ROW = b'{"number": "%d", "opened_at": "1/1/2024 10:00"}\n'
OWN = b'{"ticket": "T-%d", "type": "opened", "time": "2024-01-01T10:00:00Z", "id": "e-%d"}\n'
HEADER = b"number,opened_at\n"
MEBIBYTE = 1 << 20
BOMB_MEBIBYTES = 300

MEASURED = """
import resource, sys
from pathlib import Path
from monitor.errors import ConfigError
from monitor.replay.own_events import read_own_events
from monitor.replay.readers import read_events
from tests.replay.foreign import mapping

of = mapping("events: [{type: opened, at: opened_at}]\\n")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
path = Path(sys.argv[1])
try:
    reading = read_own_events([path]) if sys.argv[2] == "own" else read_events([path], of)
    print(len(reading.events), reading.reasons())
except ConfigError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def bomb(path, before, after):
    """A gzipped file with a line of 300 MiB between two lots of others."""
    squeeze = zlib.compressobj(wbits=31)
    with path.open("wb") as file:
        file.write(squeeze.compress(before))
        for _ in range(BOMB_MEBIBYTES):
            file.write(squeeze.compress(b"a" * MEBIBYTE))
        file.write(squeeze.compress(b"\n" + after) + squeeze.flush())
    assert path.stat().st_size < MEBIBYTE
    return path


@pytest.mark.parametrize(
    ("name", "form", "before", "after", "told"),
    [
        ("log.jsonl.gz", "rows", ROW % 1, ROW % 2, "2 {'line_too_long': 1}"),
        ("events.jsonl.gz", "own", OWN % (1, 1), OWN % (2, 2), "2 {'line_too_long': 1}"),
        ("log.csv.gz", "rows", HEADER, b"T1,1/1/2024 10:00\n", ".gz:2: has a row"),
    ],
    ids=["rows", "events", "csv"],
)
def test_a_line_that_unzips_to_hundreds_of_megabytes_takes_no_memory(tmp_path, name, form, before, after, told):
    """3.5 MB of such a file took 2.6 GB."""
    path = bomb(tmp_path / name, before, after)

    done = subprocess.run([sys.executable, "-c", MEASURED, str(path), form], check=True, capture_output=True, text=True)

    *said, mebibytes = done.stdout.splitlines()
    assert told in "\n".join(said)
    assert int(mebibytes) < 80


def test_lines_that_are_too_long_are_rejected_with_their_place_and_the_others_are_read(tmp_path):
    longest = b'{"number": "1", "opened_at": "1/1/2024 10:00", "more": "'
    fits = longest + b"a" * (LONGEST_LINE - len(longest) - 2) + b'"}\n'
    path = tmp_path / "log.jsonl"
    path.write_bytes(fits + b" " + fits + ROW % 2 + b"a" * (LONGEST_LINE + 1))

    reading = read_events([path], OF)

    assert [event.subject_id for event in reading.events] == ["1", "2"]
    assert [(one.line, one.reason) for one in reading.rejected] == [(2, "line_too_long"), (4, "line_too_long")]
    assert reading.rows == 4


LINE_OF_A_ROW = b'","' + b"a" * 100_000 + b"\n"


@pytest.mark.parametrize("long", [b"a" * (LONGEST_LINE + 1), b'"' + LINE_OF_A_ROW * 84], ids=["a line", "lines"])
def test_a_row_of_csv_that_is_too_long_ends_the_reading_of_its_file(tmp_path, long):
    """Nobody knows where the next one begins: a quote may stand open."""
    path = tmp_path / "log.csv"
    path.write_bytes(HEADER + b"T1,1/1/2024 10:00\n" + long + b"\n")

    with pytest.raises(ConfigError) as caught:
        read_events([path], OF)

    (mistake,) = caught.value.mistakes
    assert mistake.message == "has a row that cannot be read: it has more than 8 MiB"
    assert mistake.line is not None
    assert mistake.line >= 3


@pytest.mark.parametrize("read", [lambda path: read_events([path], OF), lambda path: read_own_events([path])])
def test_a_gzipped_file_that_is_damaged_is_told(tmp_path, read):
    path = tmp_path / "log.jsonl.gz"
    squeezed = bytearray(gzip.compress(b"".join(ROW % number for number in range(10_000))))
    squeezed[200:400] = bytes(200)
    path.write_bytes(squeezed)

    with pytest.raises(ConfigError, match="cannot be read"):
        read(path)
