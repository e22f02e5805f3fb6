"""The effective text of an agreement with levels, value by value, and which level says each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from monitor.config.agreements.levels import NAMES, laid_over, origin_of
from monitor.core.agreements.levels import editions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monitor.config.agreements.document import AgreementDocument
    from monitor.core.agreements.agreement import Agreement, Origin

_ABSENT: Final = object()
_Path = tuple[str, ...]


class Value(NamedTuple):
    """One value of an effective text: its path (``clocks.solved.targets.P1``), value, and the level that says it."""

    path: str
    value: Any
    origin: Origin


class EffectiveText(NamedTuple):
    """A text with its inherited values, in their order."""

    document: dict[str, Any]
    values: list[Value]


def effective_text(agreement: Agreement, documents: Sequence[AgreementDocument]) -> EffectiveText:
    """Return the text of an edition with its inherited values.

    Args:
        agreement: the edition, as `monitor.config.agreements.levels.effective` makes it.
        documents: all versions of it and of the levels above.
    """
    of = {(one.agreement.id, one.agreement.version): one for one in documents}
    key = (agreement.id, agreement.version, agreement.valid_from_ms)
    edition = next(
        one for one in editions(one.agreement for one in documents) if (one.own.id, one.own.version, one.from_ms) == key
    )
    chain = [of[one.id, one.version] for one in (*edition.above, edition.own)]
    document, _ = laid_over(chain)
    levels = [(one.document, origin_of(one.agreement)) for one in reversed(chain)]
    values = [
        # A lower level replaces what it names: whoever names a value last from above says it.
        Value(".".join(path), value, next(origin for text, origin in levels if _at(text, path) is not _ABSENT))
        for path, value in _leaves(document, ())
    ]
    return EffectiveText(document, values)


def _leaves(value: object, path: _Path) -> Iterator[tuple[_Path, Any]]:
    parts = _parts(value, path)
    if not parts:
        yield path, value
    for name, part in (parts or {}).items():
        yield from _leaves(part, (*path, name))


def _parts(value: object, path: _Path) -> Mapping[str, Any] | None:
    """Return the parts of a value by name; None for one that is shown as a whole."""
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
