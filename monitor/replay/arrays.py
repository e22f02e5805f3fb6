"""JSON arrays of any length, read object by object: memory holds one of them, not the array."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple, NoReturn

import orjson

from monitor.errors import ConfigError
from monitor.replay.lines import LONGEST_LINE, TOO_LONG, mistake_in

_PIECE: Final = 1 << 16
# Numbers stay texts: this pass only looks for the end of an item, and a number of a million digits must not stop it.
_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str)


_BEHIND_AN_ITEM: Final = frozenset(" \t\r\n,]")
"""An item that ends before something else, or where nothing has been read yet, may be the beginning of a number."""


class Item(NamedTuple):
    """An item of an array: its place (from 1), its value, or the problem why it has none."""

    place: int
    value: object
    problem: str = ""


def items_of(content: IO[bytes], path: Path, encoding: str = "utf-8") -> Iterator[Item]:
    """Yield the items of the JSON array that an input holds.

    Raises:
        ConfigError: the input is no array from here on: nobody knows where the next item begins.
    """
    text = _Text(content, path, encoding)
    text.expect("[")
    place = 1
    if text.next() == "]":
        text.expect("]")
    else:
        while True:
            yield _item(place, text.item())
            place += 1
            if text.next() != ",":
                text.expect("]")
                break
            text.expect(",")
    if text.next():
        text.fail("goes on behind the end of the array")


def _item(place: int, text: str) -> Item:
    try:
        # As strict as for lines: what the pass above lets through, such as NaN, is no JSON.
        return Item(place, orjson.loads(text))
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        return Item(place, None, str(error))


class _Text:
    """The text that has been read and not been taken yet."""

    def __init__(self, content: IO[bytes], path: Path, encoding: str) -> None:
        self._content = content
        self._path = path
        # "utf-8-sig" passes over a byte order mark.
        known = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
        self._decode = codecs.getincrementaldecoder(known)().decode
        self._text = ""
        self._at = 0
        self._lines = 1
        self._is_over = False

    def next(self) -> str:
        """Return the next character that is no white space, without taking it; an empty text at the end."""
        while True:
            rest = self._text[self._at :].lstrip(" \t\r\n")
            if rest or self._is_over:
                self._take(len(self._text) - len(rest))
                return rest[:1]
            self._take(len(self._text))
            self._more()

    def expect(self, character: str) -> None:
        """Take the next character, which must be this one."""
        if self.next() != character:
            self.fail(f"has no {character!r} where one belongs")
        self._take(self._at + 1)

    def item(self) -> str:
        """Take the next item and return its text."""
        self.next()
        while True:
            try:
                _, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if self._is_over or isinstance(error, RecursionError):
                    self.fail(str(error))
            else:
                if self._text[end : end + 1] in _BEHIND_AN_ITEM or self._is_over or len(self._text) - end > _PIECE:
                    text = self._text[self._at : end]
                    self._take(end)
                    return text
            if len(self._text) - self._at > LONGEST_LINE:
                self.fail(f"has an item that cannot be read: {TOO_LONG}")
            self._more()

    def fail(self, problem: str) -> NoReturn:
        """Tell where the input is no array."""
        raise self._error(problem)

    def _error(self, problem: str) -> ConfigError:
        return mistake_in(self._path, f"is no JSON array: {problem}", line=self._lines)

    def _take(self, end: int) -> None:
        self._lines += self._text.count("\n", self._at, end)
        self._at = end

    def _more(self) -> None:
        # As much again as there is: an item is looked at a few times, however long it is.
        raw = self._content.read(max(_PIECE, len(self._text) - self._at))
        self._is_over = not raw
        try:
            self._text = self._text[self._at :] + self._decode(raw, final=self._is_over)
        except UnicodeDecodeError as error:
            raise self._error(str(error)) from None
        self._at = 0
