"""Attributes of all events are those of ``restored``, too: customers who are named there are still without service."""

import pytest

from monitor.config.mappings.mapping import load_mapping

HEAD = "mapping: grid\nsubject: outage\nsubject_id: '{number}'\n"
EVENTS = "events:\n  - {type: started, at: begin}\n  - {type: restored, at: end}\n"


def warnings_of(text, tmp_path):
    told = []
    (tmp_path / "grid.yaml").write_text(HEAD + text)
    load_mapping(tmp_path / "grid.yaml", warnings=told)
    return told


@pytest.mark.parametrize("attribute", ["customers_affected: n", "weight: {constant: 0.5}"])
def test_a_restoration_that_names_what_was_down_at_the_beginning_is_warned_of(tmp_path, attribute):
    """An outage of 48 h was down for ever, without a word: after its restoration all were still without service."""
    (warning,) = warnings_of(f"attributes: {{{attribute}}}\n{EVENTS}", tmp_path)

    name = attribute.split(":")[0]
    assert (warning.path, warning.line) == ("events[1]", 7)
    assert f"ends no outage: it still has the {name} of started" in warning.message
    assert warning.hint == f"give {name} to started alone, under its own attributes"


@pytest.mark.parametrize(
    "text",
    [
        EVENTS.replace("at: begin", "at: begin, attributes: {customers_affected: n}"),
        # stepwise: another column tells how many are still without service
        EVENTS.replace("at: begin", "at: begin, attributes: {customers_affected: n}").replace(
            "at: end", "at: end, attributes: {customers_affected: still_out}"
        ),
        (
            "group: {by: number, order: at}\nattributes: {customers_affected: n}\n"
            "events:\n  - {type: started, at: at, rows: first}\n  - {type: restored, at: at, rows: later}\n"
        ),
    ],
)
def test_a_beginning_alone_and_steps_are_not(tmp_path, text):
    assert warnings_of(text, tmp_path) == []
