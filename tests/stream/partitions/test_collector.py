"""The garbage collector of a worker's process is called between batches, and only where it pays."""

import gc
import weakref

import pytest

from monitor.stream.partitions.collector import YOUNG, collect_young


class Link:
    """Refers to itself: only the collector frees it."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def quiet():
    """By itself the collector does not come."""
    thresholds = gc.get_threshold()
    gc.collect()
    gc.set_threshold(0)
    yield
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("made", "is_freed"), [(YOUNG + 1_000, True), (0, False)])
def test_young_objects_are_looked_at_once_there_are_many(made, is_freed):
    link = weakref.ref(Link())
    kept = [[number] for number in range(made)]

    collect_young()

    assert (link() is None) == is_freed
    assert len(kept) == made
