"""Lines of CSV without a quote are split, as that is quicker; the csv reader says what a row is."""

import csv
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.replay.readers import read_events
from tests.replay.foreign import mapping

OF = mapping(
    """\
    mapping: cut
    subject: ticket
    subject_id: "{a}|{b}|{c}"
    events: [{type: opened, at: {constant: 2024-01-01, zone: UTC}}]
    """,
    "",
)
cells = st.lists(st.text('x", ;\t', max_size=4), min_size=3, max_size=3).map(",".join)
anything = st.text('x",\r\n\x85\u2028', max_size=12)


@given(st.lists(st.tuples(cells | anything, st.sampled_from(["\n", "\r\n"])), max_size=6))
@example([("a,b,c", "\r\n"), ('"a\n,b",b,c', "\n"), ("", "\n"), ("x,y,z", "\n"), ('a,"b', "\n"), ("x,y,z", "\n")])
@example([("a,b\rc,d", "\n")])
def test_a_file_has_the_rows_that_the_csv_reader_finds_in_it(tmp_path_factory, lines):
    content = "a,b,c\n" + "".join(text + end for text, end in lines)
    path = tmp_path_factory.mktemp("cut") / "rows.csv"
    path.write_bytes(content.encode())
    try:
        rows = [row for row in csv.reader(re.findall(r"[^\n]*\n", content)) if row][1:]
    except csv.Error:
        with pytest.raises(ConfigError, match="is no CSV"):
            read_events([path], OF)
        return

    reading = read_events([path], OF)

    stripped = [[cell.strip() for cell in row] for row in rows]
    assert [event.subject_id for event in reading.events] == ["|".join(row) for row in stripped if whole(row)]
    assert reading.reasons().get("wrong_columns", 0) == sum(len(row) != 3 for row in stripped)
    assert reading.rows == len(rows)


def whole(row):
    return len(row) == 3 and all(row) and "|".join(row).isprintable()


def test_lines_behind_a_row_of_several_lines_keep_their_numbers(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('a,b,c\n1,2\n"1\n1",2\n1,2\n')

    reading = read_events([path], OF)

    assert [one.line for one in reading.rejected] == [2, 3, 5]
