"""The law of the native merge: nothing tells whether Python or the package has merged a pane.

The same partials go through a partition that Python merges alone, and through one that half its workers merge natively.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.core.windows import evaluator
from monitor.stream.agents import evaluate, native_partials
from tests.native.merging import AGREEMENTS, Both, first, hostile, partials

native = pytest.importorskip("sla_monitor_native", reason="the package sla-monitor-native is not installed")

MONTH_MS = 32 * DAY_MS


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(partials(), min_size=5, max_size=60), st.lists(hostile(), max_size=3),
    st.sampled_from([1, 3, 256]), st.sampled_from([0, 1, 500]), st.sampled_from([120, 1 << 16, 1 << 16]), st.data(),
)  # fmt: skip
def test_nothing_tells_who_has_merged_a_pane(records, strange, at_once, awake, longest, data):
    for one in strange:
        records.insert(data.draw(st.integers(0, len(records))), one)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native_partials, "KEYS_AT_ONCE", at_once)
        patch.setattr(native_partials, "LONGEST", longest)
        patch.setattr(evaluator, "MOST_AWAKE", awake)
        patch.setattr(evaluate, "TICK_S", 3_600.0)
        both, stamp = Both(native, max_series=data.draw(st.sampled_from([2, 9]))), 1
        both.batch(*first())
        cuts = sorted(data.draw(st.sets(st.integers(1, len(records)), max_size=5)) | {len(records)})
        for start, end in zip([0, *cuts], cuts, strict=False):
            both.batch(*records[start:end], take_back=data.draw(st.booleans()))
            both.check()
            match data.draw(st.integers(0, 7)):
                case 0 | 1 | 2:
                    both.tick(data.draw(st.sampled_from([0, MINUTE_MS, 3 * HOUR_MS, DAY_MS, 2 * MONTH_MS])))
                case 3:
                    both.restart(natively=data.draw(st.sampled_from([True, True, False])))
                case 4:
                    stamp += 1
                    version = replace(AGREEMENTS[0], version=stamp, valid_from_ms=both.now_ms)
                    both.amend(*AGREEMENTS, version, stamp=stamp)
            both.check()
        event(f"merged natively: {both.ways[1] * 4 // sum(both.ways) * 25} % and more")
        for after_ms in (0, 2 * DAY_MS, 2 * MONTH_MS):
            both.tick(after_ms)
            both.check()
        both.restart(natively=True)
        both.tick()
        both.check()
