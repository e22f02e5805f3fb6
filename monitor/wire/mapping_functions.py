"""Functions of a row from which those of a mapping are put together: tests of columns, times, attributes, ids.

Each is made for a place of `monitor.wire.mapping_view.Columns`, and takes a `View`. Most read their column themselves,
not through `View.text`: a call would take as long as all the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from monitor.core.facts.events import Value
from monitor.errors import DecodeError
from monitor.wire.fields import has_control
from monitor.wire.mapping_rules import LONGEST_COMPARED, Compared, Condition, Source
from monitor.wire.mapping_view import UNREAD, View
from monitor.wire.row_values import number_of, span_ms

T = TypeVar("T")
Of = Callable[[View], T]
"""A function of a row."""
Id = Callable[[View, str, int, int], str]
"""The function that makes an event's id of its row, its subject's id, its instant and its sequence."""

MAX_ID_BYTES: Final = 512
SHORT_ID: Final = MAX_ID_BYTES // 4
"""A text of no more characters has no more than `MAX_ID_BYTES`."""


def checked_id(text: str) -> str:
    """Return an id, if it is one.

    Raises:
        DecodeError: ``bad_id``.
    """
    if text.isascii() and text.isprintable() and 0 < len(text) <= MAX_ID_BYTES:
        return text  # nearly every one
    if not text or len(text.encode(errors="replace")) > MAX_ID_BYTES or has_control(text):
        raise DecodeError("bad_id", repr(text[:80]))
    return text


def filled(literals: Sequence[str], places: Sequence[int]) -> Of[str]:
    """Return the function that fills the texts of columns, which must be there, in between some literals."""
    first, *more = literals
    if len(places) == 1:
        (place,), (last,) = places, more

        def with_one(view: View) -> str:
            text = view.texts[place]
            if text is None or text is UNREAD:
                text = view.needed(place)
            return f"{first}{text}{last}"

        return with_one
    rest = list(zip(places, more, strict=True))

    def with_several(view: View) -> str:
        texts, made = view.texts, first
        for place, literal in rest:
            text = texts[place]
            if text is None or text is UNREAD:
                text = view.needed(place)
            made += text + literal
        return made

    return with_several


def default_id(middle: str, end: str) -> Id:
    """Return the function that makes ids of the event's own fields."""
    is_printable = (middle + end).isprintable()

    def made(_: View, subject_id: str, at_ms: int, sequence: int) -> str:
        text = f"{subject_id}{middle}{at_ms}{end}{sequence}"
        # The subject's id has been checked.
        return text if is_printable and len(text) <= SHORT_ID else checked_id(text)

    return made


def id_with_own(kind: str, parts: Sequence[tuple[str, str, int]]) -> Id:
    """Return the function of ids made of columns and the event's own fields.

    ``parts`` are literals, each with the own field behind it, or the place of a column, or neither.
    """

    def made(view: View, subject_id: str, at_ms: int, sequence: int) -> str:
        own = {"": "", "subject_id": subject_id, "type": kind, "time_ms": str(at_ms), "sequence": str(sequence)}
        return checked_id(
            "".join([literal + (view.needed(place) if place >= 0 else own[name]) for literal, name, place in parts])
        )

    return made


def all_of(tests: Sequence[Of[bool]]) -> Of[bool]:
    """Return the test whether all of some tests hold; the first that does not ends it."""
    if len(tests) == 1:
        return tests[0]
    every = tuple(tests)

    def holds(view: View) -> bool:
        for test in every:  # noqa: SIM110 - the hot path: `all` of a generator takes twice as long
            if not test(view):
                return False
        return True

    return holds


def text_of_column(place: int) -> Of[str | None]:
    """Return the function of a column's text; None if it has no value."""

    def text(view: View) -> str | None:
        text = view.texts[place]
        return view.read(place) if text is UNREAD else text

    return text


def is_in(place: int, values: frozenset[str]) -> Of[bool]:
    """Return the test whether a column has one of some values."""

    def holds(view: View) -> bool:
        text = view.texts[place]
        if text is UNREAD:
            text = view.read(place)
        return text in values

    return holds


def not_in(place: int, values: frozenset[str]) -> Of[bool]:
    """Return the test whether a column has none of some values; a missing value is none of them."""

    def holds(view: View) -> bool:
        text = view.texts[place]
        if text is UNREAD:
            text = view.read(place)
        return text not in values

    return holds


def present(place: int, *, is_wanted: bool) -> Of[bool]:
    """Return the test whether a column has a value, or whether it has none."""

    def holds(view: View) -> bool:
        text = view.texts[place]
        if text is UNREAD:
            text = view.read(place)
        return (text is not None) == is_wanted

    return holds


def same_as(place: int, other: int) -> Of[bool]:
    """Return the test whether a column has a value, and another column the same."""

    def holds(view: View) -> bool:
        text = view.text(place)
        return text is not None and text == view.text(other)

    return holds


def differs_from(place: int, other: int) -> Of[bool]:
    """Return the test whether two columns differ; a missing value differs from any."""
    return lambda view: view.text(place) != view.text(other)


def looks_back(place: int, remembered: int, one: Condition) -> list[Of[bool]]:
    """Return the tests that compare a column with the previous row of the group."""
    tests = []
    if one.changed is not None:
        tests.append(changed(place, remembered, is_wanted=one.changed))
    if one.becomes is not None:
        tests.append(becomes(place, remembered, one.becomes))
    if one.leaves is not None:
        tests.append(leaves(place, remembered, one.leaves))
    return tests


def changed(place: int, remembered: int, *, is_wanted: bool) -> Of[bool]:
    """Return the test whether a column differs from the previous row, or whether it does not."""

    def holds(view: View) -> bool:
        text, before = view.texts[place], view.past.seen
        if text is UNREAD:
            text = view.read(place)
        return (before is not None and before[remembered] != text) == is_wanted

    return holds


def becomes(place: int, remembered: int, values: frozenset[str]) -> Of[bool]:
    """Return the test whether a column has one of some values, and had none of them in the previous row."""

    def holds(view: View) -> bool:
        text, before = view.texts[place], view.past.seen
        if text is UNREAD:
            text = view.read(place)
        return text in values and (before is None or before[remembered] not in values)

    return holds


def leaves(place: int, remembered: int, values: frozenset[str]) -> Of[bool]:
    """Return the test whether a column had one of some values in the previous row, and has none of them."""

    def holds(view: View) -> bool:
        text, before = view.texts[place], view.past.seen
        if text is UNREAD:
            text = view.read(place)
        return before is not None and before[remembered] in values and text not in values

    return holds


def follows(first: Of[int | None], second: Of[int | None], sign: int) -> Of[bool]:
    """Return the test whether a time is later than another (``sign`` 1), or earlier (-1); both must be known."""

    def holds(view: View) -> bool:
        first_ms, second_ms = first(view), second(view)
        return first_ms is not None and second_ms is not None and (second_ms - first_ms) * sign > 0

    return holds


def compares(place: int, by: Compared) -> Of[bool]:
    """Return the test of a column's text, or number, against constants; a missing value passes none."""
    is_of_numbers = by.is_of_numbers

    def holds(view: View) -> bool:
        text = view.text(place)
        if text is None or (by.prefix and not text.startswith(by.prefix)):
            return False
        if by.pattern and (len(text) > LONGEST_COMPARED or not any(one.match(text) for one in by.pattern)):
            return False
        if not is_of_numbers:
            return True
        number = number_of(text)
        return (
            (by.above is None or number > by.above)
            and (by.below is None or number < by.below)
            and (by.at_least is None or number >= by.at_least)
            and (by.at_most is None or number <= by.at_most)
        )

    return holds


def plain_instant(place: int, known: Callable[[str], int]) -> Of[int | None]:
    """Return the function of a time that stands in one column."""

    def found(view: View) -> int | None:
        text = view.texts[place]
        if text is UNREAD:
            text = view.read(place)
        return None if text is None else known(text)

    return found


def date_and_time(first: int, second: int, known: Callable[[str, str], int]) -> Of[int | None]:
    """Return the function of a time whose date and time of day stand in two columns."""

    def found(view: View) -> int | None:
        texts = view.texts
        day, clock = texts[first], texts[second]
        if day is UNREAD:
            day = view.read(first)
        if clock is UNREAD:
            clock = view.read(second)
        return None if day is None or clock is None else known(day, clock)

    return found


def duration(name: str, first: Of[int | None], last: Of[int | None]) -> Of[Value | None]:
    """Return the function of the milliseconds from one time to another."""

    def found(view: View) -> int | None:
        start_ms, end_ms = first(view), last(view)
        if start_ms is None or end_ms is None:
            return None
        if end_ms < start_ms:
            raise DecodeError("negative_duration", name)
        return end_ms - start_ms

    return found


def span(place: int, of: Source) -> Of[Value | None]:
    """Return the function of a length of time that stands in a column, in milliseconds."""
    assert of.span is not None
    unit = of.span.unit

    def found(view: View) -> int | None:
        length = view.text(place)
        return None if length is None else span_ms(length, unit)

    return found


def previous(remembered: int) -> Of[str | None]:
    """Return the function of a column's text in the previous row of the group."""
    return lambda view: None if view.past.seen is None else view.past.seen[remembered]
