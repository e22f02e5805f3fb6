"""YAML as people write it: what it means, where it stands, and what is told of it when it is broken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from monitor.config.reading.shape import Shape, Text, did_you_mean, validate
from monitor.config.reading.yaml_file import load_documents, parse_documents
from monitor.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from pathlib import Path


def data_of(text: str) -> Any:
    (document,) = parse_documents(text.encode(), "f.yaml", mistakes := [])
    assert mistakes == []
    return document.data


def mistakes_of(text: str | bytes) -> list[str]:
    mistakes: list[Mistake] = []
    parse_documents(text if isinstance(text, bytes) else text.encode(), "f.yaml", mistakes)
    return [str(one) for one in mistakes]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("08:30", "08:30"),
        ("8:30", "8:30"),  # 510 in YAML 1.1
        ("13:00", "13:00"),
        ("2026-12-24", "2026-12-24"),
        ("NO", "NO"),  # Norway, not false
        ("on", "on"),
        ("+49 30 1", "+49 30 1"),
        ("+4930", "+4930"),
        ("0049", "0049"),
        ("12345678901234567890", "12345678901234567890"),
        ("1e9", "1e9"),
        (".nan", ".nan"),
        ("95 %", "95 %"),
        ("24x7", "24x7"),
        ("7", 7),
        ("-7", -7),
        ("7.5", 7.5),
        ("true", True),
        ("null", None),
        ("", None),
        ('"7"', "7"),
    ],
)
def test_a_value_means_what_a_reader_of_the_file_would_say(written: str, meant: object) -> None:
    data = data_of(f"value: {written}\n")

    assert data == {"value": meant}
    assert type(data["value"]) is type(meant)


def test_keys_are_texts_also_where_they_look_like_something_else() -> None:
    assert data_of("{1: a, true: b, 2026-12-24: c, no: d}") == {"1": "a", "true": "b", "2026-12-24": "c", "no": "d"}


# YAML has no surrogate pairs: beyond U+FFFF its escapes differ from those of JSON.
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**16), 10**16)
    | st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc:1 ", max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abc"), plain, min_size=1))
def test_json_is_read_as_json(data: dict[str, object]) -> None:
    assert data_of(json.dumps(data)) == data


@given(st.binary(max_size=60) | st.text(":-[]{}&*!|>'\"# \n\tab", max_size=40).map(str.encode))
def test_no_bytes_raise_anything(raw: bytes) -> None:
    documents = parse_documents(raw, "f.yaml", mistakes := [])

    for document in documents:
        assert json.loads(json.dumps(document.data)) == document.data
    assert all(mistake.file == "f.yaml" for mistake in mistakes)


def test_each_key_and_item_has_its_line() -> None:
    text = "# head\na: 1\nlist:\n  - x: 1\n    y: 2\n  - {z: 3}\n---\nb: 1\n"
    first, second = parse_documents(text.encode(), "f.yaml", [])

    assert first.line_of(("a",)) == 2
    assert first.line_of(("list", 0, "y")) == 5
    assert first.line_of(("list", 1, "z")) == 6
    assert first.line_of(("list", 1, "gone", "z")) == 6, "parts that name nothing are passed over"
    assert first.line_of(("list", 7)) == 3, "the nearest parent"
    assert second.line_of(("b",)) == 8


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\na: 2\n", "f.yaml:2: a: is given twice, first in line 1 (keep one of the two)"),
        ("l:\n  - {x: 1, x: 2}", "f.yaml:2: l[0].x: is given twice, first in line 2 (keep one of the two)"),
        ("a: !!python/object:os.system x", "f.yaml:1: a: the tag tag:yaml.org,2002:python/object:os.system is not"),
        ("a: !!set {x}", "f.yaml:1: a: the tag tag:yaml.org,2002:set is not allowed"),
        ("a: !!omap [x]", "f.yaml:1: a: the tag tag:yaml.org,2002:omap is not allowed"),
        ("a: !!int x", "f.yaml:1: a: is no int (leave the tag out)"),
        ("a: !!float .nan", "f.yaml:1: a: is no float (leave the tag out)"),
        ("? [x]\n: 1", "f.yaml:1: a key must be a single text"),
        ("x: 1\na: &a [*a]", "f.yaml:2: is not YAML: an anchor contains itself (write the values out)"),
        ("a: 1\n\tb: 2", "f.yaml:2: is not YAML: while scanning for the next token found character '\\t'"),
        ("a: 1\nb: >= 95 %", "f.yaml:2: is not YAML: while scanning a block scalar expected chomping"),
        ("a: *: 1h", "f.yaml:1: is not YAML: while scanning an alias"),
        ("a: [1, 2", "(a bracket or quote is not closed)"),
        (b"a: 1\nb: \xff", "f.yaml:2: is not UTF-8 (save the file as UTF-8)"),
        ("[" * 2000, "f.yaml: is nested too deeply"),
        ("x" * (5 << 20), "f.yaml: is larger than 4 MiB"),
    ],
)
def test_what_is_no_plain_yaml_is_told_with_its_line(text: str | bytes, told: str) -> None:
    (mistake,) = mistakes_of(text)

    assert told in mistake


def test_aliases_that_multiply_do_not_fill_the_memory() -> None:
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    text += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))

    (mistake,) = mistakes_of(text)

    assert "aliases multiply" in mistake


def test_an_alias_is_the_value_it_names() -> None:
    assert data_of("a: &hours [1, 2]\nb: *hours") == {"a": [1, 2], "b": [1, 2]}


def test_what_stands_before_a_broken_document_is_still_read() -> None:
    documents = parse_documents(b"a: 1\n---\nb: [\n", "f.yaml", mistakes := [])

    assert [document.data for document in documents] == [{"a": 1}]
    assert len(mistakes) == 1


def test_a_missing_file_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        load_documents(tmp_path / "none.yaml")


def test_empty_documents_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("---\n# nothing\n---\na: 1\n---\n")

    assert [document.data for document in load_documents(tmp_path / "a.yaml")] == [{"a": 1}]


class Wheel(Shape):
    size: int
    brand: Text = "none"
    kind: Literal["road", "snow"] = "road"


class Car(Shape):
    name: Text
    wheels: list[Wheel]
    spare: Wheel | None = None
    pair: Annotated[list[Wheel], Field(max_length=2)] | None = None
    by_place: dict[Text, Wheel] = {}  # noqa: RUF012 - a pydantic field


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: a\nwheels:\n  - size: 1\n    brnd: x", "f.yaml:4: wheels[0].brnd: unknown key (did you mean 'brand'?)"),
        ("name: a\nwheels: []\nspare: {size: 1, sise: 1}", "f.yaml:3: spare.sise: unknown key (did you mean 'size'?)"),
        (
            "name: a\nwheels: []\nby_place: {left: {size: 1, kimd: road}}",
            "f.yaml:3: by_place.left.kimd: unknown key (did you mean 'kind'?)",
        ),
        ("name: a\nwheels: []\nxyzzy: 1", "f.yaml:3: xyzzy: unknown key (known: by_place, name, pair, spare, wheels)"),
        ("name: a\nwheels:\n  - kind: road", "f.yaml:3: wheels[0].size: is missing"),
        ("name: a\nwheels: [{size: '1'}]", "f.yaml:2: wheels[0].size: must be a whole number, not the text '1'"),
        ("name: a\nwheels: 3", "f.yaml:2: wheels: must be a list, not the number 3"),
        ("name: a\nwheels: [7]", "f.yaml:2: wheels[0]: must be a map of keys and values, not the number 7"),
        ("name: [a]\nwheels: []", "f.yaml:1: name: must be text, not a list"),
        ("name: 1.10\nwheels: []", "f.yaml:1: name: must be text, not the number 1.1 (put it in quotes: '1.1')"),
        ("name: true\nwheels: []", "f.yaml:1: name: must be text, not true (put it in quotes: 'true')"),
        ("name:\nwheels: []", "f.yaml:1: name: is empty"),
        ("name: ' '\nwheels: []", "f.yaml:1: name: is empty"),
        ('name: "a\\x1fb"\nwheels: []', "f.yaml:1: name: holds control characters"),
        ('name: "a\\u202eb"\nwheels: []', "f.yaml:1: name: holds control characters"),
        ('name: "a\\x9bb"\nwheels: []', "f.yaml:1: name: holds control characters"),
        ('name: "a\\ud800"\nwheels: []', "f.yaml:1: name: holds control characters"),
        (
            "name: a\nwheels: [{size: 1, kind: Snow}]",
            "f.yaml:2: wheels[0].kind: must be 'road' or 'snow', not 'Snow' (did you mean 'snow'?)",
        ),
        (
            "name: a\nwheels: []\npair: [{size: 1, sise: 1}]",
            "f.yaml:3: pair[0].sise: unknown key (did you mean 'size'?)",
        ),
        ("- name: a", "f.yaml:1: must be a map of keys and values, not a list"),
    ],
)
def test_what_differs_from_the_shape_is_told_with_line_path_and_hint(text: str, told: str) -> None:
    mistakes: list[Mistake] = []
    (document,) = parse_documents(text.encode(), "f.yaml", mistakes)

    assert validate(Car, document, mistakes) is None
    assert [str(one) for one in mistakes] == [told]


def test_all_mistakes_of_a_document_are_told_at_once() -> None:
    text = "nam: a\nwheels:\n  - {size: x}\n  - {size: 1, kind: ice}\n"
    (document,) = parse_documents(text.encode(), "f.yaml", mistakes := [])

    validate(Car, document, mistakes)

    assert sorted((one.line, one.path) for one in mistakes) == [
        (1, "nam"),
        (1, "name"),
        (3, "wheels[0].size"),
        (4, "wheels[1].kind"),
    ]


def test_a_whole_number_is_accepted_as_text() -> None:
    (document,) = parse_documents(b"{name: 42, wheels: []}", "f.yaml", [])

    car = validate(Car, document, [])

    assert car is not None
    assert car.name == "42"


def test_a_hint_names_the_nearest_word_or_all_of_a_few() -> None:
    assert did_you_mean("Munth", ["month", "day"]) == "did you mean 'month'?"
    assert did_you_mean("xyzzy", ["month", "day"]) == "known: day, month"
    assert did_you_mean("xyzzy", []) == ""
    assert did_you_mean("xyzzy", map(str, range(99))).endswith(", …")


def test_our_reading_agrees_with_yaml_where_both_have_a_view() -> None:
    text = "a: [1, two, {three: 3.5}]\nb: |\n  text\n  more\nc: 'quoted: text'\n"

    assert data_of(text) == yaml.safe_load(text)
