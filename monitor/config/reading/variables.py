"""Variables of the environment that the receivers of a settings file name: ``${PAGER_KEY}``.

Any text of a receiver may name some, so that no secret needs to stand in the file; ``$${`` is a literal ``${``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.config.reading.yaml_file import Plain, YamlDocument
    from monitor.errors import Mistake

_VARIABLE: Final = re.compile(r"(\$?)\$\{([^{}]*)\}")
Filled = Mapping[tuple[str | int, ...], str]
"""The texts of a file that variables were put into, as they are written, by their paths."""

NOTHING_FILLED: Final[Filled] = {}

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def variables_of(data: Plain) -> frozenset[str]:
    """Return the variables that the receivers of settings name."""
    held = data.get("receivers") if isinstance(data, dict) else None
    return frozenset(found[2] for text in _texts(held) for found in _VARIABLE.finditer(text))


def named_in(text: str) -> str:
    """Return the variables that a text names, as it names them: ``${HOST} and ${TOKEN}``."""
    return " and ".join(found[0] for found in _VARIABLE.finditer(text) if not found[1])


def written_at(path: Sequence[str | int], filled: Filled) -> str | None:
    """Return the texts at a path and below it that variables were put into, or None."""
    texts = [text for place, text in filled.items() if place[: len(path)] == tuple(path)]
    return ", ".join(texts) or None


def _texts(value: Plain) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def fill_variables(
    document: YamlDocument, environ: Mapping[str, str], mistakes: list[Mistake]
) -> tuple[Plain, dict[tuple[str | int, ...], str]]:
    """Return the document's data with the variables that its receivers name put in, and the texts they were put into.

    A variable that is not set is a mistake that names it; its text stays as it is.
    """
    data, filled = document.data, dict[tuple[str | int, ...], str]()
    if not isinstance(data, dict) or "receivers" not in data:
        return data, filled
    return {**data, "receivers": _fill(document, ("receivers",), data["receivers"], environ, mistakes, filled)}, filled


def _fill(
    document: YamlDocument,
    path: tuple[str | int, ...],
    value: Plain,
    environ: Mapping[str, str],
    mistakes: list[Mistake],
    filled: dict[tuple[str | int, ...], str],
) -> Plain:
    if isinstance(value, dict):
        return {key: _fill(document, (*path, key), one, environ, mistakes, filled) for key, one in value.items()}
    if isinstance(value, list):
        return [_fill(document, (*path, place), one, environ, mistakes, filled) for place, one in enumerate(value)]
    if not isinstance(value, str):
        return value

    def put_in(found: re.Match[str]) -> str:
        escaped, name = found[1], found[2]
        if escaped:
            return found[0][1:]
        if not _NAME.fullmatch(name):
            mistakes.append(document.mistake(path, f"names no variable: {found[0]!r}", "write ${NAME}, or $${ for ${"))
        elif not environ.get(name):
            mistakes.append(
                document.mistake(path, f"the environment variable {name} is not set", "set it, or mend the name")
            )
        else:
            filled[path] = value
            return environ[name]
        return found[0]

    return _VARIABLE.sub(put_in, value)
