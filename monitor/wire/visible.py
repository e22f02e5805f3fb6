"""The display of other people's texts: characters that would change the text around them are shown as escapes.

Attributes (a customer's name, say) are kept as they come, also with the C1 characters of a mis-decoded name or with
overrides of the writing direction. Every surface that shows one to people or to their tools calls this module first:
commands and the log (`for_terminal`, `json_for_terminal`), and pages, labels of metrics and of alerts (`visible`). The
data of topics and of signed webhooks stays as it was sent: machines compare it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Final

from monitor.wire.contract import CONTROL

_replace: Final = re.compile(rf"{CONTROL}|\\+(?={CONTROL}|x[0-9a-f]{{2}}|u[0-9a-f]{{4}})").sub
"""Finds the characters to escape, and backslashes that would be taken for the beginning of an escape."""
_KEPT: Final = "\n\t"
_OBEYED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of characters that a terminal obeys, or that reorder or break the text around them."""


def visible(text: str) -> str:
    r"""Return a text with the characters of `CONTROL` escaped: ``M\x81ller``.

    Two texts never become the same: two series with the same labels would make a scrape fail. So where a text contains
    the escape itself, its backslash is doubled.
    """
    return text if text.isprintable() and "\\" not in text else _replace(_escape, text)


def for_terminal(text: str) -> str:
    """Return a text with every character escaped that a terminal obeys; line breaks and tabs stay.

    Marks of direction and marks without a width are escaped too.
    """
    if text.isprintable():
        return text
    return "".join([
        escape(one) if one not in _KEPT and unicodedata.category(one) in _OBEYED else one for one in text
    ])  # fmt: skip


def json_for_terminal(line: bytes) -> bytes:
    """Return a line of JSON with the same meaning that a terminal can show; a line that is not JSON is escaped too."""
    text = line.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text.encode()
    # In a JSON text the escape of a character means the same; blanks between the parts may be any blank.
    return "".join([
        " " if one in "\n\r\t" else json.dumps(one)[1:-1] if unicodedata.category(one) in _OBEYED else one
        for one in text
    ]).encode("utf-8", "backslashreplace")  # fmt: skip


def escape(character: str) -> str:
    r"""Return the escape of a character: ``\x1b``, ``\u202e``."""
    return character.encode("unicode_escape").decode()


def _escape(found: re.Match[str]) -> str:
    what = found[0]
    return 2 * what if what[0] == "\\" else escape(what)


def printable(raw: bytes | None) -> str:
    """Return bytes as text that a terminal can show: bytes that are not UTF-8, and control characters, are escaped."""
    text = (raw or b"").decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else escape(one) for one in text)
