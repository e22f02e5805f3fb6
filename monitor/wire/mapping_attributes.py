"""Functions of a row that find the attributes of an event."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from monitor.core.facts.events import ATTRIBUTES, Value
from monitor.errors import DecodeError
from monitor.wire.mapping_functions import Of
from monitor.wire.mapping_rules import Source
from monitor.wire.mapping_view import UNREAD, View, keep
from monitor.wire.row_values import attribute_of

Work = Sequence[tuple[str, Of[Value | None]]]
"""Names of attributes, each with the function that finds its value."""


def value(name: str, text_of: Of[str | None], of: Source) -> Of[Value | None]:
    """Return the function of an attribute's value: a text, translated, and converted to the attribute's type."""
    column, values, otherwise, times = of.column, of.values, of.otherwise, of.times
    is_text = ATTRIBUTES[name] is str

    def found(view: View) -> Value | None:
        text = text_of(view)
        if text is not None and values is not None:
            mapped = values.get(text, otherwise)
            if mapped is None:
                raise DecodeError("unknown_value", f"{column}: {text!r}")
            text = mapped
        text = otherwise if text is None else text
        return text if text is None or is_text else attribute_of(name, text, times)

    return found


class Told(NamedTuple):
    """An attribute of an event: its name and its value, or the function of it and the column that alone decides it.

    ``place`` is -1 where more than the text of one column decides, or where texts are seldom the same: of a number.
    """

    name: str
    constant: Value | None
    value_of: Of[Value | None] | None = None
    place: int = -1


def attributes(told: Sequence[Told]) -> Of[dict[str, Value]]:
    """Return the function of an event's attributes, in their order.

    What follows from texts is the same for most rows, so it is kept by these texts. Events then share their attributes:
    nobody changes those of an event.
    """
    template: dict[str, Value] = {one.name: "" if one.constant is None else one.constant for one in told}
    work = [(one.name, one.value_of) for one in told if one.value_of is not None]
    of_texts = [one for one in told if one.place >= 0]
    if not of_texts:
        return (lambda view: _with(template, work, view)) if work else (lambda _: template)
    known = _by_texts(template, work, of_texts)
    others = [(one.name, one.value_of) for one in told if one.value_of is not None and one.place < 0]
    return (lambda view: _with(known(view), others, view)) if others else known


def _by_texts(template: dict[str, Value], work: Work, of_texts: Sequence[Told]) -> Of[dict[str, Value]]:
    """Return the function of those attributes that texts decide.

    ``work`` finds all attributes: it is done for the sake of its refusal only.
    """
    own = [(one.name, one.value_of) for one in of_texts if one.value_of is not None]
    places = [one.place for one in of_texts]
    # Two places at least: of one, `itemgetter` makes no tuple.
    texts_of = itemgetter(*places, places[0])
    kept: dict[tuple[str | None, ...], dict[str, Value]] = {}

    def look(view: View) -> dict[str, Value]:
        """Return what follows from texts that are not known, or have not been read."""
        try:
            for place in places:
                view.text(place)
            found = kept.get(texts_of(view.texts))
            if found is None:
                found = _with(template, own, view)
        except DecodeError:
            _with(template, work, view)  # is refused, too: for what comes first
            raise
        texts = texts_of(view.texts)
        if UNREAD not in texts:
            keep(kept, texts, found)
        return found

    def known(view: View) -> dict[str, Value]:
        found = kept.get(texts_of(view.texts))
        return look(view) if found is None else found

    return known


def _with(given: dict[str, Value], work: Work, view: View) -> dict[str, Value]:
    """Return attributes with those that some functions find, without those that they do not find."""
    found = given.copy()
    for name, value_of in work:
        value = value_of(view)
        if value is None:
            del found[name]
        else:
            found[name] = value
    return found
