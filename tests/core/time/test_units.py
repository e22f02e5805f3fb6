"""Units of time stand in one module."""

from __future__ import annotations

import re
from pathlib import Path

import monitor
from monitor.core.time import units
from monitor.core.time.units import DAY_MS, HOUR_MS, LONGEST_MONTH_MS, MINUTE_MS, SECOND_MS, USUAL_MONTH_MS


def test_they_are_multiples_of_each_other():
    assert (SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS) == (1_000, 60_000, 3_600_000, 86_400_000)
    assert (USUAL_MONTH_MS / DAY_MS, LONGEST_MONTH_MS / DAY_MS) == (30, 31)


def test_no_other_module_says_how_long_a_day_is():
    others = [path for path in Path(monitor.__file__).parent.rglob("*.py") if path != Path(units.__file__)]
    assert len(others) > 300
    copies = re.compile(r"86_?400_?000|24 \* (HOUR_MS|3_?600_?000)|DAY_MS(: Final)? = ")
    assert [str(path) for path in others if copies.search(path.read_text(encoding="utf-8"))] == []
