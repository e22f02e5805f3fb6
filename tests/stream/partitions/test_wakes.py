"""The instants at which rows wish to wake: whatever is noted and taken, it is as if all were searched each time."""

import gc

from hypothesis import given
from hypothesis import strategies as st

from monitor.stream.partitions.wakes import SLOT_BITS, Wakes

SLOT_MS = 1 << SLOT_BITS
INSTANTS = st.integers(1, 12 * SLOT_MS)
KEYS = st.sampled_from([b"a", b"b", b"c", b"d"])
ACTS = st.one_of(
    st.tuples(st.just("wish"), INSTANTS, KEYS),
    st.tuples(st.just("end"), INSTANTS, KEYS),
    st.tuples(st.just("take"), INSTANTS, KEYS),
    st.tuples(st.just("restart"), INSTANTS, KEYS),
)


@given(st.lists(ACTS, max_size=60))
def test_law_the_earliest_wish_that_still_holds_is_the_next(acts):
    wishes: dict[bytes, int] = {}

    def made_of(wished):
        made = Wakes(lambda key: wishes.get(key, 0))
        for one, wish in wished.items():
            made.note((wish, one))
        return made

    wakes = made_of({})
    for act, at_ms, key in acts:
        if act == "wish":
            if wishes.get(key) != at_ms:
                wishes[key] = at_ms
                wakes.note((at_ms, key))
        elif act == "end":
            wishes.pop(key, None)
        elif act == "restart":
            wakes = made_of(wishes)
        else:
            due = sorted((wish, one) for one, wish in wishes.items() if wish <= at_ms)
            taken = wakes.take(at_ms)
            assert taken == (due[0] if due else None)
            if taken is not None:
                del wishes[taken[1]]
        first = min(((wish, one) for one, wish in wishes.items()), default=None)
        assert wakes.first() == first
        assert len(wakes) >= len(wishes)


def test_wishes_that_hold_no_more_are_forgotten_when_their_time_comes():
    wakes = Wakes(lambda key: 30 * SLOT_MS if key == b"held" else 0)
    for at_ms in range(1, 20 * SLOT_MS, SLOT_MS // 4):
        wakes.note((at_ms, b"changed"))
    wakes.note((30 * SLOT_MS, b"held"))
    assert len(wakes) == 81

    assert wakes.first() == (30 * SLOT_MS, b"held")
    assert len(wakes) == 1


def test_a_wish_for_an_instant_that_has_been_looked_at_comes_first():
    wakes = Wakes({b"later": 5 * SLOT_MS, b"sooner": SLOT_MS}.__getitem__)
    wakes.note((5 * SLOT_MS, b"later"))
    assert wakes.first() == (5 * SLOT_MS, b"later")
    wakes.note((SLOT_MS, b"sooner"))
    assert [wakes.take(9 * SLOT_MS), wakes.take(9 * SLOT_MS)] == [(SLOT_MS, b"sooner"), (5 * SLOT_MS, b"later")]


def test_a_row_that_changes_within_a_slot_wakes_once():
    wakes = Wakes({b"row": 5 * SLOT_MS + 2}.__getitem__)
    for at_ms in (1, 2):
        wakes.note((5 * SLOT_MS + at_ms, b"row"))
    assert wakes.take(9 * SLOT_MS) == (5 * SLOT_MS + 2, b"row")
    assert wakes.take(9 * SLOT_MS) is None
    assert len(wakes) == 0


def test_thousands_of_wakes_are_no_work_for_the_garbage_collector():
    keys = [b"row %d" % number for number in range(10_000)]
    wakes = Wakes(lambda _: 0)
    before = len(gc.get_objects())
    for number, key in enumerate(keys):
        wakes.note(((1 + number % 20) * SLOT_MS, key))
    assert len(gc.get_objects()) - before < 100
