"""A mapping whose rows start and stop a clock at one instant is a mistake: each clock would take 0 s."""

import pytest

from monitor.config.mappings.mapping import load_mapping
from monitor.errors import ConfigError

HEAD = "mapping: works\nsubject: ticket\nsubject_id: '{number}'\ntime: {formats: [rfc3339]}\n"


def load(events, tmp_path):
    (tmp_path / "works.yaml").write_text(f"{HEAD}events:\n{events}")
    return load_mapping(tmp_path / "works.yaml")


def test_the_start_and_the_stop_of_a_clock_at_one_instant_of_the_same_rows_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"events\[1\]\.at") as caught:
        load("  - {type: opened, at: reported}\n  - {type: resolved, at: reported}\n", tmp_path)

    assert "stops acknowledge, first_response, resolution" in str(caught.value)
    assert "'opened' starts it: always after 0 s" in str(caught.value)


@pytest.mark.parametrize(
    "events",
    [
        "  - {type: opened, at: reported}\n  - {type: resolved, at: settled}\n",
        "  - {type: opened, at: reported}\n  - {type: resolved, at: reported, when: {state: {is: [done]}}}\n",
        "  - {type: opened, at: reported}\n  - {type: assigned, at: reported}\n",
    ],
)
def test_other_instants_other_rows_and_other_events_are_not(events, tmp_path):
    assert len(load(events, tmp_path).events) == 2
