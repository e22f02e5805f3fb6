"""Live sources: topics of others, and the mapping files that make events of their records."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, Field

from monitor.config.mappings.mapping import load_mapping
from monitor.config.reading.shape import Shape, Text, wrong
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from monitor.config.reading.yaml_file import YamlDocument
    from monitor.errors import Mistake
    from monitor.wire.mapping_rules import RowMapping

_TOPIC_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_LONGEST_TOPIC: Final = 200  # Kafka allows 249; a changelog's name is longer than its topic's


def _topic(value: str) -> str:
    if len(value) > _LONGEST_TOPIC or not _TOPIC_CHARACTERS.issuperset(value) or value in (".", ".."):
        raise wrong(f"is no topic name: {value!r}", "use letters, digits, '-', '_' and '.'")
    return value


Topic = Annotated[Text, AfterValidator(_topic)]
Count = Annotated[int, Field(ge=1)]


class SourceSettings(Shape):
    """A topic of somebody else, and the mapping file that makes events of its records."""

    topic: Topic
    mapping: Text
    """Its path, from the folder of the settings file; once the settings are loaded, from where the process runs."""
    partitions: Count | None = None
    """How many the topic has; None: as many as ours."""

    def __str__(self) -> str:
        """Return it as the list of settings shows it."""
        return f"{self.topic} through {self.mapping}"

    def rows(self) -> RowMapping:
        """Return the mapping.

        Raises:
            ConfigError: all mistakes of the file.
        """
        return load_mapping(Path(self.mapping), live=True)


def resolve_sources(
    sources: Collection[SourceSettings], own: Collection[str], document: YamlDocument, mistakes: list[Mistake]
) -> list[SourceSettings]:
    """Return the sources with the paths of their mappings, after adding their mistakes to ``mistakes``.

    Args:
        sources: as the settings file has them.
        own: the monitor's own topics: none of them is foreign.
        document: the settings file.
        mistakes: is added to.
    """
    found: list[SourceSettings] = []
    for number, source in enumerate(sources):
        path = ("sources", number)
        if source.topic in own:
            message, hint = f"is a topic of the monitor itself: {source.topic!r}", "name the topic that others write to"
            mistakes.append(document.mistake((*path, "topic"), message, hint))
        if source.topic in [one.topic for one in found]:
            message, hint = f"is given twice: {source.topic!r}", "one topic, one mapping: it may make several events"
            mistakes.append(document.mistake((*path, "topic"), message, hint))
        file = Path(document.file).parent / source.mapping
        resolved = source.model_copy(update={"mapping": str(file)})
        found.append(resolved)
        if not file.is_file():
            hint = "the path begins at the folder of the settings file"
            mistakes.append(document.mistake((*path, "mapping"), f"there is no file {file}", hint))
            continue
        try:
            resolved.rows()
        except ConfigError as error:
            mistakes.extend(error.mistakes)
    return found
