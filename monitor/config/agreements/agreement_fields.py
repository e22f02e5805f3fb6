"""Fields that the sections of agreement files share: ids, attributes to choose and to split by, windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from monitor.config.reading.quantities import WindowField
from monitor.config.reading.shape import Text, did_you_mean, wrong
from monitor.core.agreements.measures import Filter
from monitor.core.facts.events import ATTRIBUTES

_ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_LONGEST_ID = 100
TEXT_ATTRIBUTES = frozenset(name for name, kind in ATTRIBUTES.items() if kind is str)
# They differ for nearly each subject: a series of every caller would be no figure and no end.
SERIES_ATTRIBUTES = TEXT_ATTRIBUTES - {"caller", "issue", "parent"}


def _identifier(value: str) -> str:
    if len(value) > _LONGEST_ID or not _ID_CHARACTERS.issuperset(value):
        raise wrong(f"is no id: {value[:_LONGEST_ID]!r}", "use letters, digits, '-', '_' and '.', at most 100")
    return value


def _attribute(value: str) -> str:
    if value not in TEXT_ATTRIBUTES:
        raise wrong(f"is no attribute to choose by: {value!r}", did_you_mean(value, TEXT_ATTRIBUTES))
    return value


def _series_attribute(value: str) -> str:
    if value not in SERIES_ATTRIBUTES:
        raise wrong(f"is no attribute to split figures by: {value!r}", did_you_mean(value, SERIES_ATTRIBUTES))
    return value


def one_or_more(value: object) -> object:
    """Accept a single entry where a list stands."""
    return value if isinstance(value, list | dict) or value is None else [value]


def one_or_more_maps(value: object) -> object:
    """Accept a single map where a list of maps stands."""
    return [value] if isinstance(value, dict) else value


def no_repeats(value: list[object]) -> list[object]:
    """Refuse a list that has an entry twice."""
    for number, item in enumerate(value):
        if item in value[:number]:
            raise wrong(f"entry {number + 1} repeats an earlier one")
    return value


Identifier = Annotated[Text, AfterValidator(_identifier)]
Attribute = Annotated[Text, AfterValidator(_attribute)]
Choice = dict[Attribute, Annotated[list[Text], Field(min_length=1), BeforeValidator(one_or_more)]]
"""Attributes and the values that are meant: ``{customer: [finance], service: [payroll, mail]}``."""
By = Annotated[
    list[Annotated[Text, AfterValidator(_series_attribute)]], BeforeValidator(one_or_more), AfterValidator(no_repeats)
]
WeightField = Annotated[float, Field(ge=0, le=1)]
Served = Annotated[int, Field(ge=1, le=10_000_000_000)]
Windows = Annotated[list[WindowField], Field(min_length=1), BeforeValidator(one_or_more), AfterValidator(no_repeats)]


def filter_of(choice: Mapping[str, Sequence[str]]) -> Filter:
    """Return the filter that a choice of attributes and values means."""
    return Filter(any_of=tuple((name, frozenset(values)) for name, values in choice.items()))
