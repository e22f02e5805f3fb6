import gzip
import io
import sys
from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.replay.lines import STDIN
from monitor.replay.readers import read_events
from tests.replay.foreign import HEAD, mapping, types

OF = mapping("events: [{type: opened, at: opened_at, when: {state: {not: [Draft]}}}]\n")
LOG = "number,state,opened_at\nT1,New,1/1/2024 10:00\nT2,New,1/1/2024 11:00\n"


def written(folder: Path, name: str, content: str | bytes) -> Path:
    raw = content.encode() if isinstance(content, str) else content
    path = folder / name
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "LOG.CSV"])
def test_csv_is_read_gzipped_or_not(tmp_path, name):
    reading = read_events([written(tmp_path, name, LOG)], OF)

    assert [event.subject_id for event in reading.events] == ["T1", "T2"]
    assert (reading.rows, reading.rejected) == (2, [])


@pytest.mark.parametrize("name", ["log.jsonl", "log.ndjson.gz", "log.json"])
def test_json_lines_are_read_gzipped_or_not(tmp_path, name):
    lines = '\ufeff{"number": 1, "opened_at": "1/1/2024 10:00"}\n\n{"number": 2, "opened_at": "1/1/2024 10:00"}'

    reading = read_events([written(tmp_path, name, lines)], OF)

    assert [event.subject_id for event in reading.events] == ["1", "2"]


def test_a_mapping_may_name_the_form_of_its_files(tmp_path):
    of = mapping("file: {format: csv, delimiter: ;, encoding: latin-1}\nevents: [{type: opened, at: opened_at}]\n")
    path = written(tmp_path, "log.txt", "number;opened_at\nÄ1;1/1/2024 10:00\n".encode("latin-1"))

    assert [event.subject_id for event in read_events([path], of).events] == ["Ä1"]


def test_every_row_is_accounted_for_with_its_reason_and_its_line(tmp_path):
    of = mapping("where: {state: {not: [Test]}}\nevents: [{type: opened, at: opened_at, when: {state: [New]}}]\n")
    log = (
        b"\xef\xbb\xbfnumber,state,opened_at\n"
        b"T1,New,1/1/2024 10:00\n"  # line 2
        b"T2,Draft,1/1/2024 10:00\n"  # no event
        b"T3,Test,1/1/2024 10:00\n"  # left out
        b"\n"
        b'"T4,\nT4",New,never\n'  # lines 6 and 7
        b"T5,New\n"
        b"T6,\xff,1/1/2024 10:00\n"
        b"?,New,1/1/2024 10:00\n"
        b"T7,New,1/1/2024 10:00,more\n"
    )

    reading = read_events([written(tmp_path, "log.csv", log)], of)

    assert types(reading.events) == ["opened"]
    assert [(one.line, one.reason) for one in reading.rejected] == [
        (6, "bad_time"),
        (8, "wrong_columns"),
        (9, "bad_utf8"),
        (10, "missing_field"),
        (11, "wrong_columns"),
    ]
    assert (reading.rows, reading.filtered, reading.without_event) == (8, 1, 1)
    assert reading.reasons() == {"wrong_columns": 2, "bad_time": 1, "bad_utf8": 1, "missing_field": 1}
    made = len(reading.events)
    assert reading.rows == made + reading.filtered + reading.without_event + len(reading.rejected)


def test_a_json_line_that_is_no_object_is_rejected(tmp_path):
    lines = b'[1]\n{"number": 1\n{"number": "\xff"}\n"text"\n{"number": 1, "opened_at": "1/1/2024 10:00"}\n'

    reading = read_events([written(tmp_path, "log.jsonl", lines)], OF)

    assert [(one.line, one.reason) for one in reading.rejected] == [
        (1, "not_an_object"),
        (2, "bad_json"),
        (3, "bad_utf8"),
        (4, "not_an_object"),
    ]
    assert len(reading.events) == 1


def test_the_rows_of_a_group_are_put_in_order_before_they_are_compared(tmp_path):
    of = mapping("""
        group: {by: [number], order: [version]}
        events: [{type: opened, rows: first, at: at}, {type: resolved, at: at, when: {state: {becomes: [Resolved]}}}]
    """)
    log = (
        "number,version,state,at\nT1,10,Resolved,1/1/2024 12:00\nT2,0,New,1/1/2024 09:00\nT1,?,New,1/1/2024 09:00\n"
        "T1,9,New,1/1/2024 10:00\n"
    )

    reading = read_events([written(tmp_path, "log.csv", log)], of)

    assert [(event.subject_id, event.fact.type) for event in reading.events] == [
        ("T1", "opened"),
        ("T1", "resolved"),
        ("T2", "opened"),
    ]
    assert [(one.line, one.reason) for one in reading.rejected] == [(4, "missing_field")]


def test_a_column_that_the_file_lacks_is_a_mistake_with_a_hint(tmp_path):
    path = written(tmp_path, "log.csv", "Number,state,opened_by\n")

    with pytest.raises(ConfigError) as caught:
        read_events([path], OF)

    first, second = caught.value.mistakes
    assert (first.line, first.message) == (1, "has no column 'number', which the mapping names")
    assert first.hint == "did you mean 'Number'?"
    assert "'opened_at'" in second.message


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("log.csv", "number,number,state,opened_at\n", "more than once, and the mapping reads it"),
        ("log.xlsx", "", "no known format"),
        ("log.csv", "", "is empty: its first line has to name the columns"),
        ("log.csv", "\n\n", "is empty"),
    ],
)
def test_a_file_that_cannot_be_read_so_is_told(tmp_path, name, content, message):
    with pytest.raises(ConfigError, match=message):
        read_events([written(tmp_path, name, content)], OF)


def test_a_missing_or_broken_file_is_told(tmp_path):
    broken = tmp_path / "log.csv.gz"
    broken.write_bytes(gzip.compress(LOG.encode() * 1000)[:60])

    for path in (tmp_path / "none.csv", broken):
        with pytest.raises(ConfigError, match=r"log\.csv\.gz: cannot be read|none\.csv: cannot be read"):
            read_events([path], OF)


def test_progress_is_told_by_file_and_ends_at_all_of_it(tmp_path):
    paths = [written(tmp_path, name, LOG) for name in ("a.csv", "b.csv.gz")]
    told: list[tuple[str, int, int]] = []

    read_events(paths, OF, lambda *progress: told.append(progress))

    assert {name for name, _, _ in told} == {"a.csv", "b.csv.gz"}
    for path in paths:
        assert (path.name, path.stat().st_size, path.stat().st_size) in told


def test_columns_with_the_names_of_an_events_own_fields_are_read_from_a_file(tmp_path):
    of = mapping(
        """
        sequence: sequence
        attributes: {category: type, team: time_ms}
        events: [{type: opened, at: at, id: "{type} {.type}"}]
        """,
        HEAD.replace("{number}", "{subject_id}"),
    )
    log = "subject_id,type,time_ms,sequence,at\nT1,fault,north,7,1/1/2024 10:00\n"

    (event,) = read_events([written(tmp_path, "log.csv", log)], of).events

    assert (event.subject_id, event.fact.id, event.fact.sequence) == ("T1", "opened fault", 7)
    assert event.fact.attributes == {"category": "fault", "team": "north"}


def test_a_name_with_colons_is_one_column_in_a_template(tmp_path):
    """Every file of process mining has them; the shorter column "case" must not be taken for it."""
    of = mapping(
        'events: [{type: opened, at: "time:timestamp", id: "{case:concept:name}/{concept:name!r}"}]',
        HEAD.replace("{number}", "{case:concept:name}"),
    )
    log = "case,case:concept:name,concept:name!r,time:timestamp\nwrong,A1,open,1/1/2024 10:00\n"

    (event,) = read_events([written(tmp_path, "log.csv", log)], of).events

    assert (event.subject_id, event.fact.id) == ("A1", "A1/open")


def test_columns_that_nobody_reads_may_be_unnamed_or_named_twice(tmp_path):
    log = ",number,note,note,state,opened_at,\n0,T1,a,b,New,1/1/2024 10:00,\n"

    (event,) = read_events([written(tmp_path, "log.csv", log)], OF).events

    assert event.subject_id == "T1"


@pytest.mark.parametrize(
    ("delimiter", "hint"),
    [(";", 'file: {delimiter: ";"}'), ("\t", r'file: {delimiter: "\t"}'), ("|", '{delimiter: "|"}')],
)
def test_columns_that_are_separated_otherwise_are_one_mistake_with_the_remedy(tmp_path, delimiter, hint):
    with pytest.raises(ConfigError) as caught:
        read_events([written(tmp_path, "log.csv", LOG.replace(",", delimiter))], OF)

    (mistake,) = caught.value.mistakes
    assert "separates its columns by" in mistake.message
    assert hint in mistake.hint


def test_a_file_that_is_gzipped_is_read_whatever_its_name_and_so_is_one_that_is_not(tmp_path):
    squeezed, plain = tmp_path / "log.csv", tmp_path / "plain.csv.gz"
    squeezed.write_bytes(gzip.compress(LOG.encode()))
    plain.write_bytes(LOG.encode())

    assert [len(read_events([path], OF).events) for path in (squeezed, plain)] == [2, 2]


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00", "a spreadsheet", "save the sheet as CSV"),
        (LOG.encode("utf-16"), "is UTF-16", "save it as UTF-8"),
        (b"BZh91AY&SY", "bzip2", "gzip"),
        (b'{"number": "T1", "state": "New"}\n', "is JSON, not CSV", "name it .jsonl"),
        (b'[{"number": "T1", "state": "New"}]\n', "is JSON, not CSV", "name it .json"),
    ],
)
def test_what_is_no_csv_at_all_is_one_mistake_that_says_what_it_is(tmp_path, content, message, hint):
    path = tmp_path / "log.csv"
    path.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        read_events([path], OF)

    (mistake,) = caught.value.mistakes
    assert message in mistake.message
    assert hint in mistake.hint


@pytest.mark.parametrize(
    "content",
    [LOG, '{"number": "T1", "opened_at": "1/1/2024 10:00"}\n{"number": "T2", "opened_at": "1/1/2024 10:00"}\n',
     '[{"number": "T1", "opened_at": "1/1/2024 10:00"},\n {"number": "T2", "opened_at": "1/1/2024 10:00"}]'],
)  # fmt: skip
@pytest.mark.parametrize("squeeze", [bytes, gzip.compress])
def test_standard_input_is_read_in_the_form_that_its_first_bytes_show(monkeypatch, content, squeeze):
    stream = io.TextIOWrapper(io.BytesIO(squeeze(content.encode())))
    monkeypatch.setattr(sys, "stdin", stream)

    reading = read_events([STDIN], OF, lambda *_: None)

    assert [event.subject_id for event in reading.events] == ["T1", "T2"]


def test_rejected_rows_of_standard_input_are_named_so(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"number,state,opened_at\nT1,New,never\n")))

    ((file, line, reason, _),) = read_events([STDIN], OF).rejected

    assert (file, line, reason) == ("standard input", 2, "bad_time")


def test_a_header_of_standard_input_that_lacks_columns_is_told_by_that_name(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"number,at\n")))

    with pytest.raises(ConfigError, match="standard input:1: has no column 'opened_at'"):
        read_events([STDIN], OF)
