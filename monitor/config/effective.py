"""The effective text of an agreement with levels, value by value, and which level says each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from monitor.config.levels import NAMES, laid_over
from monitor.core.agreement import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from monitor.config.agreements import AgreementDocument
    from monitor.core.agreement import Agreement

_ABSENT: Final = object()
_Path = tuple[str, ...]


class Value(NamedTuple):
    """One value of an effective text: where it stands (``clocks.solved.targets.P1``), what it is, and who says it."""

    path: str
    value: Any
    origin: Origin


class EffectiveText(NamedTuple):
    """A text with what it inherits, and its values in their order."""

    document: dict[str, Any]
    values: list[Value]


def effective_text(agreement: Agreement, documents: Iterable[AgreementDocument], at_ms: int) -> EffectiveText:
    """Return the text of an edition with what it inherits from the texts above it that hold at an instant.

    Args:
        agreement: the edition, as `monitor.config.levels.effective` makes it.
        documents: all versions of it and of the levels above.
        at_ms: the instant.
    """
    chain = []
    for level_id in agreement.lineage:
        holding = [
            one
            for one in documents
            if one.agreement.id == level_id
            and one.agreement.status != "draft"
            and one.agreement.valid_from_ms <= max(at_ms, agreement.valid_from_ms)
        ]
        chain.append(max(holding, key=lambda one: (one.agreement.valid_from_ms, one.agreement.version)))
    chain += [
        one for one in documents if (one.agreement.id, one.agreement.version) == (agreement.id, agreement.version)
    ]
    document = laid_over([one.document for one in chain])
    levels = [(one.document, _origin(one.agreement)) for one in reversed(chain)]
    values = [
        # A lower level replaces what it names: whoever names a value last from above says it.
        Value(".".join(path), value, next(origin for text, origin in levels if _at(text, path) is not _ABSENT))
        for path, value in _leaves(document, ())
    ]
    return EffectiveText(document, values)


def _origin(one: Agreement) -> Origin:
    return Origin(one.id, one.version, one.level or "")


def _leaves(value: object, path: _Path) -> Iterator[tuple[_Path, Any]]:
    parts = _parts(value, path)
    if not parts:
        yield path, value
    for name, part in (parts or {}).items():
        yield from _leaves(part, (*path, name))


def _parts(value: object, path: _Path) -> Mapping[str, Any] | None:
    """Return what a value is made of, by name; None of one that is told as a whole."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return None
    key = NAMES.get(path[0], "id")
    return {str(one.get(key, number)): one for number, one in enumerate(value, 1)}


def _at(document: object, path: _Path) -> object:
    found: object = document
    for name in path:
        parts = _parts(found, path)
        if parts is None or name not in parts:
            return _ABSENT
        found = parts[name]
    return found
