"""The reference of the mapping language: each example is run, and each key of the language stands in it."""

from __future__ import annotations

import re
import types
import typing
from pathlib import Path

import pytest
from pydantic import BaseModel

from monitor.config.mappings.mapping import parse_mapping
from monitor.config.mappings.mapping_shape import MappingShape
from monitor.config.reading.yaml_file import parse_documents
from monitor.replay.preview import event_text, preview
from monitor.replay.readers import Table
from monitor.replay.result import data_faults
from monitor.wire.mapping_rules import REASONS

REFERENCE = (Path(__file__).parents[2] / "deploy" / "mappings" / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"^```yaml\n(.*?)^```\n```(csv|json)\n(.*?)^```\n```text\n(.*?)^```\n", REFERENCE, re.DOTALL | re.MULTILINE
)
LEFT_OUT = {"mapping": "example", "subject": "ticket", "subject_id": '"{number}"'}


def whole(text: str) -> str:
    """An example with the keys that it leaves out."""
    given = {line.partition(":")[0] for line in text.splitlines()}
    return "".join(f"{key}: {value}\n" for key, value in LEFT_OUT.items() if key not in given) + text


def test_each_mapping_in_the_reference_is_an_example_with_rows_and_events():
    assert len(EXAMPLES) == REFERENCE.count("```yaml\n") > 15


@pytest.mark.parametrize("example", EXAMPLES, ids=[str(number) for number in range(len(EXAMPLES))])
def test_an_example_makes_the_events_that_stand_below_it(tmp_path, example):
    text, kind, rows, expected = example
    mistakes = []
    mapping = parse_mapping(parse_documents(whole(text).encode(), "README.md", mistakes)[0], mistakes)
    assert mapping is not None, mistakes
    file = tmp_path / f"data.{kind}"
    file.write_text(rows, encoding="utf-8")

    made, _, reading = preview([Table([file], mapping)], 100)

    odd = {one.subject_id for one in reading.odd if not one.is_measured}
    told = [event_text(one.event) for one in made if one.event.subject_id not in odd]
    told += [f"line {one.line} rejected: {one.reason}" for one in reading.rejected]
    told += data_faults(reading)
    assert told == expected.splitlines()


def shapes(annotation: object, found: dict[type[BaseModel], None]) -> dict[type[BaseModel], None]:
    """All sections of a mapping file."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation not in found:
            found[annotation] = None
            for field in annotation.model_fields.values():
                shapes(field.annotation, found)
    else:
        for one in typing.get_args(annotation):
            shapes(one, found)
    return found


KEYS = sorted(
    {
        (shape.__name__, field.alias or name)
        for shape in shapes(MappingShape, {})
        for name, field in shape.model_fields.items()
    }
)


def test_the_keys_are_found():
    assert {"InstantShape", "ConditionShape", "EpisodesShape", "ZoneShape", "LengthShape"} <= {name for name, _ in KEYS}
    assert len(KEYS) > 60
    assert types.NoneType not in dict(KEYS)


@pytest.mark.parametrize(("shape", "key"), KEYS)
def test_each_key_of_the_language_is_explained_and_has_an_example(shape, key):
    rows = [line for line in REFERENCE.splitlines() if line.startswith("|") or "`from` one time `to`" in line]
    examples = "".join(whole(text) for text, *_ in EXAMPLES)

    assert any(f"`{key}`" in line for line in rows), f"{shape}.{key} stands in no table"
    assert re.search(rf"\b{key}:(?: |$)", examples, re.MULTILINE), f"{shape}.{key} is in no example"


def test_each_reason_for_which_a_row_is_refused_stands_in_the_reference():
    shown = set(REFERENCE.splitlines())

    assert [reason for reason, why in REASONS.items() if f"| `{reason}` | {why} |" not in shown] == []
