"""What of agreements about calls is checked when they are loaded."""

from __future__ import annotations

import textwrap

import pytest

from monitor.config.agreements.checking import load_agreements
from monitor.errors import ConfigError
from tests.replay.desk import HEAD


def loaded(folder, text):
    (folder / "centre.yaml").write_text("agreement: centre\n" + textwrap.dedent(text) + HEAD)
    return load_agreements(folder).latest("centre")


def test_a_callback_is_a_clock_of_calls_split_by_queue(tmp_path):
    (callback,) = loaded(tmp_path, "clocks: [{id: back, subject: call, metric: callback, targets: {'*': 1h}}]\n").clocks

    assert (callback.subject, callback.metric, callback.by) == ("call", "callback", ("queue",))


def test_the_time_for_repeat_calls_is_that_of_the_agreement_and_none_by_default(tmp_path):
    asked, not_asked = loaded(
        tmp_path, "calls: [{id: a, answer_within: 20s, repeat_within: 7d}, {id: b, answer_within: 20s}]\n"
    ).calls

    assert (asked.repeat_within_ms, not_asked.repeat_within_ms) == (7 * 86_400_000, 0)


@pytest.mark.parametrize("indicator", ["fcr", "fcr_net", "fcr_provisional"])
def test_first_call_resolution_by_repeats_needs_to_know_who_calls_again(tmp_path, indicator):
    text = f"""
    calls: [{{id: a, answer_within: 20s}}]
    objectives: [{{id: once, of: a, indicator: {indicator}, target: 70 %}}]
    """

    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)

    (mistake,) = caught.value.mistakes
    assert (mistake.path, mistake.hint) == ("objectives[0].indicator", "add repeat_within: 7d to the calls")


def test_of_first_call_resolution_more_is_better_and_of_occupancy_less(tmp_path):
    text = """
    calls: [{id: a, answer_within: 20s, repeat_within: 7d}]
    objectives:
      - {id: once, of: a, indicator: fcr_net, target: 70 %}
      - {id: breathe, of: a, indicator: occupancy, target: 85 %}
    """

    assert [one.comparison for one in loaded(tmp_path, text).objectives] == [">=", "<="]
