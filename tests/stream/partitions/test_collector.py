"""The collector of a worker's process is called between batches, where it pays, in a small share of the time."""

import gc
import weakref

import pytest

from monitor.stream.partitions.collector import MOST_YOUNG, REST, YOUNG, YoungCollector


class Link:
    """Refers to itself: only the collector frees it."""

    def __init__(self):
        self.itself = self


class Clock:
    """A clock by which each collection takes a second."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock(monkeypatch):
    """By itself the collector does not come."""
    clock = Clock()
    thresholds, collect = gc.get_threshold(), gc.collect

    def collected(generation):
        clock.now_s += 1.0
        return collect(generation)

    gc.collect()
    gc.set_threshold(0)
    monkeypatch.setattr(gc, "collect", collected)
    yield clock
    gc.set_threshold(*thresholds)


def young(number):
    """So many young objects, and the reference to one that only the collector frees."""
    return [[one] for one in range(number)], weakref.ref(Link())


@pytest.mark.parametrize(("made", "is_freed"), [(YOUNG + 1_000, True), (0, False)])
def test_young_objects_are_looked_at_once_there_are_many(clock, made, is_freed):
    kept, link = young(made)

    YoungCollector(clock).collect()

    assert (link() is None) == is_freed
    assert len(kept) == made


@pytest.mark.parametrize(
    ("made", "later_s", "is_freed"),
    [(YOUNG + 1_000, REST - 1, False), (YOUNG + 1_000, REST, True), (MOST_YOUNG + 1_000, 0, True)],
)
def test_after_a_collection_the_next_one_waits_unless_too_much_is_young(clock, made, later_s, is_freed):
    collector = YoungCollector(clock)
    kept, _ = young(YOUNG + 1_000)
    collector.collect()
    more, link = young(made)

    clock.now_s += later_s
    collector.collect()

    assert (link() is None) == is_freed
    assert (len(kept), len(more)) == (YOUNG + 1_000, made)
