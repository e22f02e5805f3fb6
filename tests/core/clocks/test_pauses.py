"""Which pauses are open: the one definition that clocks, the ticket's state and the explanation share."""

from __future__ import annotations

import pytest

from monitor.core.clocks.pauses import with_begun, without_ended

COUNTS = frozenset({"customer", "vendor"})


@pytest.mark.parametrize(
    ("open_now", "reason", "pause_on", "after"),
    [
        ([], "customer", None, ["customer"]),
        ([], "", None, [""]),
        (["customer"], "vendor", COUNTS, ["customer", "vendor"]),
        (["customer"], "customer", None, None),  # told twice
        ([], "lunch", COUNTS, None),  # does not count
        ([], "", COUNTS, None),
    ],
)
def test_a_pause_begins(open_now, reason, pause_on, after):
    assert with_begun(open_now, reason, pause_on) == after


@pytest.mark.parametrize(
    ("open_now", "reason", "pause_on", "after"),
    [
        (["customer", "vendor"], "customer", None, ["vendor"]),
        (["customer"], "customer", COUNTS, []),
        (["customer", "vendor"], "", COUNTS, []),  # no reason: all of them
        (["customer", "vendor"], "lunch", None, []),  # not one of them: all of them
        (["vendor"], "customer", COUNTS, []),
        (["vendor"], "lunch", COUNTS, None),  # it never held
    ],
)
def test_a_pause_ends(open_now, reason, pause_on, after):
    assert without_ended(open_now, reason, pause_on) == after
