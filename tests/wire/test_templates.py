import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.wire.templates import columns_in, names_in, parts_of


@pytest.mark.parametrize(
    ("template", "parts"),
    [
        ("{number}", (("", "number"),)),
        ("a{b}c{ d }e", (("a", "b"), ("c", "d"), ("e", None))),
        ("{case:concept:name}-{a!r}-{b[0]}", (("", "case:concept:name"), ("-", "a!r"), ("-", "b[0]"))),
        ("{{x}}{y}", (("{x}", "y"),)),
        ("plain", (("plain", None),)),
        ("", (("", None),)),
        ("{}", (("", ""),)),
    ],
)
def test_a_template_is_texts_and_names(template, parts):
    assert parts_of(template) == parts


@pytest.mark.parametrize("template", ["{a", "a}", "{a}}", "{{a}"])
def test_a_brace_that_stands_alone_is_no_template(template):
    with pytest.raises(ValueError, match="a single"):
        parts_of(template)


def test_a_dot_before_a_name_means_the_column():
    assert names_in("{type}{.type}") == ["type", ".type"]
    assert columns_in("{type}{.type}{x}", frozenset({"type"})) == {"type", "x"}
    assert columns_in("{type}{x}", frozenset({"type"})) == {"x"}


@given(st.lists(st.tuples(st.text(max_size=5), st.text(min_size=1, max_size=5))))
def test_any_name_without_braces_comes_back_as_it_was(pieces):
    pieces = [(text, name.strip()) for text, name in pieces if not set("{}") & set(name) and name.strip()]
    template = "".join(text.replace("{", "{{").replace("}", "}}") + f"{{{name}}}" for text, name in pieces)

    assert [part for part in parts_of(template) if part[1] is not None] == pieces
