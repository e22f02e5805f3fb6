"""The faults that real files have: rows twice, rows in no order, events without a time, ends without a beginning."""

import random

import pytest

from monitor.replay.files import replay_files
from monitor.replay.readers import read_events
from monitor.replay.result import as_json, data_faults
from tests.replay.desk import book
from tests.replay.foreign import HEAD, events, mapping, reason, types
from tests.replay.test_mapping import ms
from tests.replay.test_readers import written

OPEN_AND_CLOSED = """
events:
  - {type: opened, at: opened}
  - {type: closed, at: closed}
"""
STATES = """
group: {by: [number]}
attributes: {team: note}
events:
  - {type: opened, rows: first, at: at}
  - {type: paused, at: at, when: {state: {becomes: [Waiting]}}}
  - {type: resumed, at: at, when: {state: {leaves: [Waiting]}}}
  - {type: resolved, at: at, when: {state: {becomes: [Done]}}}
"""
LOG = [
    "T1,New,1/3/2024 08:00,a",
    "T1,Waiting,2/3/2024 08:00,b",
    "T1,Work,3/3/2024 08:00,c",
    "T2,New,2/3/2024 09:00,d",
    "T1,Done,4/3/2024 08:00,e",
    "T2,Done,9/3/2024 08:00,f",
]


def log(*rows: str) -> str:
    return "\n".join(["number,state,at,note", *rows, ""])


# ---- what has not happened yet


def test_a_ticket_that_is_still_open_has_no_time_of_closing_and_that_is_no_mistake():
    made = events(mapping(OPEN_AND_CLOSED), {"number": "T1", "opened": "1/3/2024 08:00", "closed": "?"})

    assert types(made) == ["opened"]


def test_a_ticket_without_a_time_of_opening_is_rejected_because_nothing_can_be_measured():
    assert (
        reason(mapping(OPEN_AND_CLOSED), {"number": "T1", "opened": "", "closed": "1/3/2024 08:00"}) == "missing_field"
    )


def test_an_event_that_the_row_says_has_happened_needs_a_time():
    of = mapping("events: [{type: opened, at: opened}, {type: closed, at: closed, when: {state: Closed}}]\n")
    row = {"number": "T1", "opened": "1/3/2024 08:00", "closed": ""}

    assert reason(of, {**row, "state": "Closed"}) == "missing_field"
    assert reason(of, {**row, "state": "Open"}) == ""


@pytest.mark.parametrize(("optional", "why"), [("true", ""), ("false", "missing_field")])
def test_a_mapping_may_say_itself_whether_an_event_needs_its_time(optional, why):
    of = mapping(f"events: [{{type: updated, at: at, optional: {optional}, when: {{number: T1}}}}]\n")

    assert reason(of, {"number": "T1", "at": ""}) == why


# ---- ends without a beginning


def test_a_ticket_that_was_closed_and_never_opened_is_told_and_counted(tmp_path):
    of = mapping("events: [{type: opened, at: opened, optional: true}, {type: closed, at: closed}]\n")
    path = written(tmp_path, "log.csv", "number,opened,closed\nT1,,1/3/2024 08:00\nT2,1/3/2024 08:00,\n")

    reading = read_events([path], of)

    assert [(one.subject_id, one.what) for one in reading.odd] == [("T1", "never_began")]
    assert data_faults(reading) == ["1 ticket was solved or closed and never opened: T1."]


def test_a_ticket_that_was_closed_before_it_was_opened_is_told_and_keeps_no_promise_in_0_s(tmp_path):
    (tmp_path / "m.yaml").write_text(HEAD + "attributes: {priority: {constant: P1}}\n" + OPEN_AND_CLOSED.lstrip())
    path = written(
        tmp_path,
        "log.csv",
        "number,opened,closed\nT1,2/3/2024 08:00,1/3/2024 08:00\nT2,2/3/2024 08:00,2/3/2024 08:10\n",
    )

    result = replay_files([path], tmp_path / "m.yaml", book())

    assert {record.subject_id for record in result.records} == {"T2"}
    out = as_json(result)["rows"]["odd_subjects"]
    assert out["counts"] == {"ended_before_it_began": 1}
    assert out["all"] == [
        {
            "subject": "ticket", "subject_id": "T1", "what": "ended_before_it_began", "measured": False,
            "began_ms": ms("2024-03-02T08:00+01:00"), "ended_ms": ms("2024-03-01T08:00+01:00"),
        }
    ]  # fmt: skip


def test_a_ticket_that_was_closed_reopened_and_closed_again_is_not_odd(tmp_path):
    of = mapping("""
        events:
          - {type: opened, at: opened, optional: true}
          - {type: closed, at: closed, id: "{number}:{type}:{closed}"}
    """)
    path = written(
        tmp_path, "log.csv", "number,opened,closed\nT1,,1/3/2024 08:00\nT1,2/3/2024 08:00,\nT1,,3/3/2024 08:00\n"
    )

    reading = read_events([path], of)

    assert reading.odd == []
    assert types(reading.events) == ["closed", "opened", "closed"]


@pytest.mark.parametrize(
    ("subject", "begin", "end", "sentence"),
    [
        ("call", "queued", "answered", "left the queue before it entered it"),
        ("outage", "started", "restored", "was restored before it started"),
        ("lead", "created", "won", "was won or lost before it was created"),
    ],
)
def test_other_subjects_are_told_in_their_words(tmp_path, subject, begin, end, sentence):
    of = mapping(
        f"events: [{{type: {begin}, at: opened}}, {{type: {end}, at: closed}}]\n", HEAD.replace("ticket", subject)
    )
    rows = "".join(f"X{number},2/3/2024 08:00,1/3/2024 08:00\n" for number in range(7))

    (told,) = data_faults(read_events([written(tmp_path, "log.csv", "number,opened,closed\n" + rows)], of))

    assert told == f"7 {subject}s: each {sentence}, and is not measured: X0, X1, X2, X3, X4, …."


# ---- rows twice, rows in no order


def test_rows_that_came_twice_count_once_though_nothing_numbers_them(tmp_path):
    of = mapping(STATES)
    once = read_events([written(tmp_path, "once.csv", log(*LOG))], of)
    twice = read_events([written(tmp_path, "twice.csv", log(*(row for row in LOG for _ in range(2))))], of)
    files = read_events([tmp_path / "once.csv", tmp_path / "once.csv"], of)

    assert twice.events == once.events == files.events
    assert (once.doubled, twice.doubled, files.doubled) == (0, 6, 6)
    assert twice.rows == 12


def test_rows_that_differ_in_a_column_that_nobody_reads_are_two(tmp_path):
    of = mapping("group: {by: [number]}\nevents: [{type: updated, at: at}]\n")
    path = written(tmp_path, "log.csv", "number,at,text\nT1,1/3/2024 08:00,a\nT1,1/3/2024 08:00,b\n")

    assert len(read_events([path], of).events) == 2


def test_json_rows_that_came_twice_count_once_too(tmp_path):
    of = mapping("group: {by: [number]}\nevents: [{type: updated, at: at}]\n")
    row = '{"number": "T1", "at": "1/3/2024 08:00"}'

    for name, text in (("a.jsonl", f"{row}\n{row}\n"), ("a.json", f"[{row}, {row}]")):
        reading = read_events([written(tmp_path, name, text)], of)
        assert (len(reading.events), reading.doubled) == (1, 1)


@pytest.mark.parametrize("seed", range(5))
def test_a_shuffled_file_says_what_the_file_in_order_says(tmp_path, seed):
    """The pause of a day counted as none when its rows came the other way round."""
    of = mapping(STATES)
    shuffled = random.Random(seed).sample(LOG, len(LOG))
    in_order = read_events([written(tmp_path, "a.csv", log(*LOG))], of)
    cut = 3
    halves = [written(tmp_path, "b.csv", log(*shuffled[:cut])), written(tmp_path, "c.csv", log(*shuffled[cut:]))]

    for paths in ([written(tmp_path, "d.csv", log(*shuffled))], halves):
        reading = read_events(paths, of)
        assert sorted(reading.events) == sorted(in_order.events)
        assert reading.warnings == []


def test_where_nothing_says_which_time_orders_the_rows_time_that_goes_backwards_is_told(tmp_path):
    of = mapping("""
        group: {by: [number]}
        events:
          - {type: opened, at: opened}
          - {type: resolved, at: at, when: {state: {becomes: [Done]}}}
    """)
    rows = ["T1,Done,1/3/2024 08:00,3/3/2024 08:00", "T1,New,1/3/2024 08:00,2/3/2024 08:00", "T2,New,1/3/2024 08:00,?"]
    path = written(tmp_path, "log.csv", "\n".join(["number,state,opened,at", *rows, ""]))

    (warning,) = read_events([path], of).warnings

    assert warning.startswith("time goes backwards in 1 row of their groups, first in log.csv:3")
    assert "group: {order: [column]}" in warning


def test_a_row_without_a_time_stays_behind_the_row_before_it(tmp_path):
    of = mapping("""
        group: {by: [number]}
        events:
          - {type: updated, at: at, optional: true}
          - {type: resolved, at: at, when: {state: {becomes: [Done]}}}
    """)
    path = written(tmp_path, "log.csv", log("T1,Done,2/3/2024 08:00,a", "T1,Done,,b", "T1,New,1/3/2024 08:00,c"))

    reading = read_events([path], of)

    assert types(reading.events) == ["updated", "updated", "resolved"]
    assert reading.without_event == 1
