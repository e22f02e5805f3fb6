"""A worker with little memory goes on whatever floods come, serves its neighbours right, and says what it capped."""

from __future__ import annotations

from pathlib import Path

from tests.kafka.limited import MIB
from tests.kafka.small_worker import SmallWorker

SIZE = 1_000
LIMIT = 176 * MIB
"""A worker to which nothing was sent has 126 MiB of what is limited."""
SHOWN = 100


async def test_all_floods_together_are_coped_with_and_what_is_capped_is_told(kafka: str, tmp_path: Path) -> None:
    story = SmallWorker(kafka, tmp_path, SIZE, LIMIT, max_series=SHOWN, partitions=2, within_s=60)
    async with story.running():
        # when floods of every kind come at once, and then the worker is started again
        for_all = [one async for one in story.together()]

        # then all figures and alerts are right, those of the neighbours too, and the worker is well
        assert [one.differences for one in for_all] == [[]] * 2
        assert story.worker.lives()
        flood, again = for_all
        assert len(flood.delays_s) > 10
        assert 0 < max(one.data_mib for one in for_all) < LIMIT / MIB

        # and it has said what it capped: in its metrics, …
        assert flood.capped["sla_series_in_rest"] == SIZE + 2 - SHOWN
        assert flood.capped["sla_dead_letters_total"] == story.wanted.dead_letters["ledger_full"] == 10 * SIZE - 1_000
        assert again.capped == {"sla_series_in_rest": SIZE + 2 - SHOWN}
        # … on its topics, …
        assert story.letters_differ() == []
        assert story.statuses()["desk"] == 2 * SHOWN + 2

    # … and in its log, which tells of no error
    said = story.complaints()
    assert any(f"{SIZE + 2 - SHOWN:,} series of desk/resolution are counted together" in one for one in said)
    assert any(f"{10 * SIZE - 1_000:,} records of" in one and "ledger_full" in one for one in said)
    assert [one for one in said if not one.startswith("WARNING ")] == []
    # and on-call was told of the storm in a few notices, not in thousands
    assert story.told["deadline trigger"] == 1
    assert sum(count for what, count in story.told.items() if what.startswith("deadline") and "alerts" not in what) < 60
