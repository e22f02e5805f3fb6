"""A mapping whose rows start and stop a clock at one instant: each clock takes 0 s, which `check` and `replay` say."""

import pytest

from monitor.config.agreements.checking import load_agreements
from monitor.config.mappings.mapping import load_mapping
from monitor.replay.files import replay_files
from monitor.replay.result import data_faults

HEAD = "mapping: works\nsubject: ticket\nsubject_id: '{number}'\ntime: {formats: [rfc3339]}\n"
AT_ONCE = "  - {type: opened, at: reported}\n  - {type: resolved, at: reported}\n"
AGREEMENT = """
agreement: works
version: 1
valid_from: 2020-01-01
name: Works
form: customer
provider: us
customer: ACME
service: works
status: accepted
accepted_by: ACME
accepted_on: 2020-01-01
clocks:
  - {id: solve, subject: ticket, metric: METRIC, calendar: always, targets: {P1: 4h}}
"""


def written(events, tmp_path):
    (tmp_path / "works.yaml").write_text(f"{HEAD}events:\n{events}")
    return tmp_path / "works.yaml"


def warnings_of(events, tmp_path):
    told = []
    load_mapping(written(events, tmp_path), warnings=told)
    return told


def test_the_start_and_the_stop_of_a_clock_at_one_instant_of_the_same_rows_are_warned_of(tmp_path):
    (told,) = warnings_of(AT_ONCE, tmp_path)

    assert told.path == "events[1].at"
    assert told.message.startswith("stops acknowledge, first_response, resolution")
    assert "'opened' starts it: always after 0 s" in told.message


@pytest.mark.parametrize(
    "events",
    [
        "  - {type: opened, at: reported}\n  - {type: resolved, at: settled}\n",
        "  - {type: opened, at: reported}\n  - {type: resolved, at: reported, when: {state: {is: [done]}}}\n",
        "  - {type: opened, at: reported}\n  - {type: assigned, at: reported}\n",
    ],
)
def test_other_instants_other_rows_and_other_events_are_not(events, tmp_path):
    assert warnings_of(events, tmp_path) == []


@pytest.mark.parametrize(("metric", "told"), [("resolution", True), ("turnaround", False)])
def test_a_replay_says_that_a_promise_of_such_a_clock_is_always_kept(metric, told, tmp_path):
    (tmp_path / "agreement.yaml").write_text(AGREEMENT.replace("METRIC", metric))
    (tmp_path / "works.csv").write_text("number,reported\nT1,2024-03-01T08:00:00Z\n")

    result = replay_files(
        [tmp_path / "works.csv"], written(AT_ONCE, tmp_path), load_agreements([tmp_path / "agreement.yaml"])
    )

    sentence = (
        "warning: works/solve is always kept: the mapping works takes the start of resolution and 'resolved' from the "
        "same column."
    )
    assert (sentence in data_faults(result.reading)) is told
