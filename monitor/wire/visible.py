"""How other people's texts are shown: what would change the text around them stands there as an escape.

Attributes (a customer's name, say) are kept as they come, also with the C1 characters of a mis-decoded name or with
overrides of the writing direction. Whatever shows one to people or to their tools asks here first: commands and the log
(`for_terminal`, `json_for_terminal`), and pages, labels of metrics and of alerts (`visible`). The data of topics and of
signed webhooks stays as it was sent: machines compare it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Final

from monitor.wire.contract import CONTROL

_replace: Final = re.compile(rf"{CONTROL}|\\+(?={CONTROL}|x[0-9a-f]{{2}}|u[0-9a-f]{{4}})").sub
"""Finds what is escaped, and backslashes that would be taken for the beginning of an escape."""
_KEPT: Final = "\n\t"
_OBEYED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Kinds of characters that a terminal obeys, or that change the order or the lines of what stands around them."""


def visible(text: str) -> str:
    r"""Return a text with the characters of `CONTROL` escaped: ``M\x81ller``.

    Two texts never look alike then, as two series with the same labels would cost a scrape: where a text holds the
    escape itself, its backslash stands twice.
    """
    return text if text.isprintable() and "\\" not in text else _replace(_escape, text)


def for_terminal(text: str) -> str:
    """Return a text with all escaped that a terminal obeys, marks of direction and without a width too; lines stay."""
    if text.isprintable():
        return text
    return "".join([
        escape(one) if one not in _KEPT and unicodedata.category(one) in _OBEYED else one for one in text
    ])  # fmt: skip


def json_for_terminal(line: bytes) -> bytes:
    """Return a line of JSON that means the same, and that a terminal can show; also of what is no JSON a line."""
    text = line.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text.encode()
    # Of a character in JSON text the escape means the same; blanks between its parts may be any blank.
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
    """Return bytes as text that a terminal can show: what is no UTF-8, and control characters, are escaped."""
    text = (raw or b"").decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else escape(one) for one in text)
