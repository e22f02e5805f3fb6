"""Rows of CSV are read ahead, rows of JSON when a rule asks: both make the same events, and are refused alike."""

import gc
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import DecodeError
from monitor.replay.readers import read_events
from monitor.wire import mapping_attributes, mapping_events
from monitor.wire.mapping import Mapper
from monitor.wire.mapping_view import UNREAD, View
from tests.replay.foreign import mapping

HEAD = """\
mapping: desk
subject: ticket
subject_id: "{number}"
missing: ["?"]
time: {formats: ["%Y-%m-%d %H:%M", epoch_ms], zone: Europe/Berlin}
"""
GROUPED = """
sequence: turn
group: {by: [number], order: [turn]}
where: {kind: {not: [task]}}
reject: [{reason: too_early, when: {at: {before: began}}}]
times: {at: [day, clock]}
attributes: {team: team, priority: {column: level, values: {"1": P1, "2": P2}}, amount: {column: level, times: 2}}
events:
  - {type: opened, rows: first, at: began}
  - {type: assigned, at: at, when: {team: {changed: true}}, attributes: {team: {column: team, previous: true}}}
  - {type: resolved, at: at, when: {state: {becomes: [done]}}}
  - {type: reopened, rows: later, at: at, when: {state: {leaves: [done]}, level: {at_least: 1}}}
  - {type: updated, at: at, when: {state: {same_as: kind}}, id: "{number}/{state}/{.type}/{sequence}"}
"""
PARTS = """
events:
  - {type: opened, at: began}
  - {type: updated, each: tags, separator: "|", at: began, id: "{number}:{each}", when: {each: {not: [x]}, kind: task}}
  - {type: assigned, each: tags, separator: "|", at: began, subject_id: "{number}/{each}", attributes: {team: each}}
  - {type: responded, at: {columns: [day, clock]}, id: "{number}:{repetition}", repeat: {times: turn}}
"""
CHANGES = """
group: {by: [number]}
events:
  - {type: opened, rows: first, at: began, attributes: {team: team}}
  - {type: paused, at: began, when: {state: {becomes: [done]}, team: desk}}
  - {type: resumed, at: began, when: {state: {leaves: [done]}}, attributes: {team: {column: team, previous: true}}}
  - {type: updated, rows: later, at: began}
  - {type: responded, at: began, when: {began: {not: [soon], before: day}}}
"""
STATES = """
attributes: {team: team}
events:
  - {type: opened, at: began}
  - {type: resolved, at: began, when: {state: [done]}}
"""
PLAIN = """
attributes: {team: team, priority: {column: level, values: {"1": P1}, otherwise: P9}, amount: {column: turn, times: 2}}
events:
  - {type: opened, at: began, attributes: {public: type}}
  - {type: resolved, at: began, when: {state: [done], level: {not: [high]}, turn: {at_least: 2}}}
  - {type: reopened, at: began, when: {kind: {present: true}, state: {not: [done]}}}
"""
COLUMNS = {
    "number": st.sampled_from(["T1", "T2", " T1 ", "", "?"]),
    "turn": st.sampled_from(["1", "2", "3", "many", ""]),
    "kind": st.sampled_from(["task", "done", ""]),
    "began": st.sampled_from(["2024-03-01 08:00", "2024-03-31 02:30", "1709280000000", "soon", ""]),
    "day": st.sampled_from(["2024-03-01", "2024-02-28", "?"]),
    "clock": st.sampled_from(["09:00", "7:5", ""]),
    "team": st.sampled_from(["desk", "field", "?"]),
    "level": st.sampled_from(["1", "2", "high", "0", ""]),
    "state": st.sampled_from(["new", "done", "?"]),
    "type": st.sampled_from(["fault", ""]),
    "tags": st.sampled_from(["a|b", "x| |a|a", "?", ""]),
}
NAMES = list(COLUMNS)


def outcome(work):
    try:
        return work()
    except DecodeError as error:
        return error.reason, error.detail


@pytest.mark.parametrize("text", [GROUPED, PARTS], ids=["rows of groups", "parts of rows"])
@given(rows=st.lists(st.fixed_dictionaries(COLUMNS), max_size=8))
def test_a_row_of_cells_is_the_same_as_its_object(text, rows):
    of = mapping(text, HEAD)
    by_cells, by_names = Mapper(of), Mapper(of)
    view_of = by_cells.views_of_cells({name: place for place, name in enumerate(NAMES)})

    for row in rows:
        made = outcome(lambda row=row: by_cells.take(view_of([row[name] for name in NAMES])))

        assert made == outcome(lambda row=row: by_names.events(row))


FEW = {
    "number": st.sampled_from(["T1", "T2"]),
    "began": st.sampled_from(["2024-03-01 08:00", "2024-03-02 08:00"]),
    "day": st.sampled_from(["2024-03-01 09:00", "2024-03-03 09:00"]),
    "team": st.just("desk"),
    "state": st.sampled_from(["new", "done"]),
}


def forget(_kept, _texts, found):
    return found


@pytest.mark.parametrize(
    ("text", "columns"),
    [(GROUPED, COLUMNS), (CHANGES, FEW), (PARTS, COLUMNS), (PLAIN, COLUMNS)],
    ids=["rows of groups", "changes", "parts of rows", "plain rows"],
)
@given(data=st.data())
def test_what_is_kept_of_earlier_rows_changes_nothing(text, columns, data):
    of = mapping(text, HEAD)
    places = {name: place for place, name in enumerate(columns)}
    rows = data.draw(st.lists(st.fixed_dictionaries(columns), min_size=12, max_size=16))
    keeping, forgetful = Mapper(of), Mapper(of)
    kept, forgotten = keeping.views_of_cells(places), forgetful.views_of_cells(places)

    for row in rows:
        cells = [row[name] for name in columns]
        made = outcome(lambda cells=cells: keeping.take(kept(cells)))

        with patch.object(mapping_events, "keep", forget), patch.object(mapping_attributes, "keep", forget):
            assert made == outcome(lambda cells=cells: forgetful.take(forgotten(cells)))


def test_a_text_that_looks_unread_is_a_text():
    """Records are other people's: what is kept of columns that have not been read must not be found by a text."""
    mapper = Mapper(mapping(STATES, HEAD))
    row = dict.fromkeys(NAMES, "1") | {"began": "2024-03-01 08:00", "state": UNREAD, "team": UNREAD}

    first, second = mapper.events(row), mapper.events(row | {"state": "done", "team": "desk"})

    assert [(one.fact.type, one.fact.attributes["team"]) for one in first] == [("opened", UNREAD)]
    assert [(one.fact.type, one.fact.attributes["team"]) for one in second] == [
        ("opened", "desk"),
        ("resolved", "desk"),
    ]


def test_no_row_that_has_been_read_waits_for_the_garbage_collector(tmp_path):
    """It is off while files are read: a row that refers to itself would stay in memory for ever."""
    cells = dict.fromkeys(NAMES, "1") | {"began": "2024-03-01 08:00", "day": "2024-03-01", "clock": "9:00"}
    rows = [",".join(cells.values()), ",".join((cells | {"tags": "a|b", "turn": "many"}).values())]
    file = tmp_path / "rows.csv"
    file.write_text("\n".join([",".join(NAMES), *rows]))
    gc.collect()
    gc.disable()
    try:
        reading = read_events([file], mapping(PARTS, HEAD))
        left = [one for one in gc.get_objects() if isinstance(one, View)]
    finally:
        gc.enable()

    assert len(reading.events) == 3
    assert reading.reasons() == {"bad_number": 1}
    assert left == []
