"""JSON arrays: objects one after the other, however they are laid out and however long the array is."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.replay.arrays import items_of
from monitor.replay.lines import LONGEST_LINE
from monitor.replay.readers import read_events
from tests.replay.foreign import mapping
from tests.replay.test_readers import written

FILE = Path("log.json")
OF = mapping("events: [{type: opened, at: at}]\n")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


class Dripping(io.BytesIO):
    """A file that gives a few bytes at a time."""

    def read(self, size=-1):
        return super().read(min(size, 3) if size >= 0 else size)


def values(text, encoding="utf-8"):
    return [item.value for item in items_of(Dripping(text.encode(encoding)), FILE, encoding)]


@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_an_array_gives_what_is_in_it_however_it_is_laid_out_and_arrives(items, indent, ascii_only):
    text = json.dumps(items, indent=indent, ensure_ascii=ascii_only)
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # half of a pair of surrogates: no file holds it

    found = list(items_of(Dripping(text.encode()), FILE))

    assert [item.place for item in found] == list(range(1, len(items) + 1))
    assert all(item.problem or item.value == value for item, value in zip(found, items, strict=True))


def test_a_byte_order_mark_and_another_encoding_are_read():
    assert values("\ufeff[1, 2]") == [1, 2]
    assert values('["ä"]', "latin-1") == ["ä"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[1, 2", 1, "no ']'"),
        ('[{"a": 1},\n{"a": }]', 2, "Expecting value"),
        ("[1 2]", 1, "no ']'"),
        ("[1]\n[2]", 2, "goes on"),
        ("[1,]", 1, "Expecting value"),
        ("[" * 100_000, 1, "recursion"),
        ('["' + "a" * (LONGEST_LINE + 100_000), 1, "more than 8 MiB"),
    ],
)  # fmt: skip
def test_where_an_array_breaks_off_the_file_ends_with_a_mistake(text, line, message):
    with pytest.raises(ConfigError) as caught:
        list(items_of(io.BytesIO(text.encode()), FILE))

    (mistake,) = caught.value.mistakes
    assert mistake.line == line
    assert "is no JSON array" in mistake.message
    assert message in mistake.message


def test_bytes_that_are_no_text_are_a_mistake():
    with pytest.raises(ConfigError, match="is no JSON array: 'utf-8' codec"):
        list(items_of(io.BytesIO(b'["\xff"]'), FILE))


def test_items_that_are_no_rows_are_rejected_with_their_place(tmp_path):
    text = (
        '[\n  {"number": "T1", "at": "1/3/2024 08:00"},\n  7,\n  {"number": NaN, "at": "x"},\n  {"number": "T2"}\n]\n'
    )

    reading = read_events([written(tmp_path, "log.json.gz", text)], OF)

    assert [event.subject_id for event in reading.events] == ["T1"]
    assert [(one.line, one.reason) for one in reading.rejected] == [
        (2, "not_an_object"),
        (3, "bad_json"),
        (4, "missing_field"),
    ]


def test_a_json_file_that_is_no_array_holds_lines(tmp_path):
    text = '{"number": "T1", "at": "1/3/2024 08:00"}\n{"number": "T2", "at": "1/3/2024 08:00"}\n'

    assert len(read_events([written(tmp_path, "log.json", text)], OF).events) == 2


def test_an_array_is_not_kept_in_memory():
    class Endless(io.RawIOBase):
        """An array without an end; it remembers how much of it was asked for."""

        given = 1

        def read(self, size=-1):
            part = b"[" if self.given == 1 else b'{"number": 1},'
            self.given += size
            return part * (1 if part == b"[" else size // len(part))

    source = Endless()
    items = items_of(source, FILE)  # type: ignore[arg-type]

    for _ in range(100_000):
        next(items)

    assert source.given < 4_000_000
