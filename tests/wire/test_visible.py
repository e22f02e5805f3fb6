"""Other people's texts as they are shown: what would change the text around them stands there as an escape."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.wire.contract import CONTROL
from monitor.wire.visible import for_terminal, visible

any_text = st.text(max_size=20) | st.text("\\xu0128e\x81\x1b\u202e", max_size=12)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Müller 数据 \u200d\u061c😀", "Müller 数据 \u200d\u061c😀"),
        ("M\x81ller", r"M\x81ller"),
        ("a\u202eb\u2028c\x7f", r"a\u202eb\u2028c\x7f"),
        (r"C:\users\new", r"C:\users\new"),
        (r"M\x81ller", r"M\\x81ller"),
        ("M\\\x81ller", r"M\\\x81ller"),
    ],
)
def test_what_changes_the_text_around_it_is_escaped_and_nothing_else(text, shown):
    assert visible(text) == shown


@given(any_text)
def test_nothing_of_the_kind_is_left(text):
    assert not re.search(CONTROL, visible(text))
    assert all(one.isprintable() or one in "\n\t" or not one.isascii() for one in for_terminal(text))


@given(any_text, any_text)
def test_two_texts_never_look_alike(one, other):
    assert (visible(one) == visible(other)) == (one == other)
