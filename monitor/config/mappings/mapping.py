"""Mapping files: read strictly and with hints into the rules that `monitor.wire.mapping` applies.

One file holds one mapping. The language: ``deploy/mappings/README.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from monitor.config.mappings.mapping_build import Build
from monitor.config.mappings.mapping_shape import MappingShape
from monitor.config.mappings.never_ends import restorations_that_end_nothing
from monitor.config.mappings.same_event import starts_that_stop
from monitor.config.reading.partial import mistakes_beside
from monitor.config.reading.shape import check
from monitor.config.reading.yaml_file import YamlDocument, load_documents
from monitor.core.facts.events import SUBJECTS, TYPES
from monitor.errors import ConfigError, Mistake
from monitor.wire.mapping_rules import EACH, EPISODE, REPETITION, EventRule, RowMapping
from monitor.wire.templates import ID_PARTS, columns_in


def load_mapping(path: Path, *, live: bool = False, warnings: list[Mistake] | None = None) -> RowMapping:
    """Read a mapping file.

    Args:
        path: the file.
        live: it is to be put in front of a topic.
        warnings: takes what does not keep the mapping from being used.

    Raises:
        ConfigError: all mistakes that are in it.
    """
    mistakes: list[Mistake] = []
    documents = load_documents(path, mistakes)
    if len(documents) != 1 and not mistakes:
        message = "holds no mapping" if not documents else "holds more than one document"
        mistakes.append(Mistake(file=str(path), line=None, path="", message=message, hint="one file, one mapping"))
    mapping = parse_mapping(documents[0], mistakes) if documents else None
    if live and mapping is not None:
        mistakes += _not_live(mapping, documents[0])
    if mistakes or mapping is None:
        raise ConfigError(mistakes)
    if warnings is not None:
        warnings += starts_that_stop(mapping, documents[0])
        warnings += restorations_that_end_nothing(mapping, documents[0])
    return mapping


def live_mistakes(path: Path) -> list[Mistake]:
    """Return what keeps a mapping file without mistakes from standing in front of a topic."""
    try:
        load_mapping(path, live=True)
    except ConfigError as error:
        return error.mistakes
    return []


def mappings_among(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Return the files and folders that may hold agreements, and the files that hold mappings.

    A folder is left whole if none of its files is a mapping.
    """
    others: list[Path] = []
    mappings: list[Path] = []
    for path in paths:
        files = sorted(one for one in path.iterdir() if one.suffix in (".yaml", ".yml")) if path.is_dir() else [path]
        found = [one for one in files if _is_mapping(one)]
        mappings += found
        others += [path] if not found else [one for one in files if one not in found]
    return others, mappings


def _is_mapping(path: Path) -> bool:
    """Return whether a file is a mapping: it says so, or has events and no agreement."""
    documents = load_documents(path, []) if path.is_file() else []
    data = documents[0].data if documents else None
    return isinstance(data, dict) and "agreement" not in data and ("mapping" in data or "events" in data)


def _not_live(mapping: RowMapping, document: YamlDocument) -> Iterator[Mistake]:
    """Yield the parts of a mapping that need a whole file: a live source has none."""
    if mapping.group:
        yield document.mistake(
            ("group",),
            "looks at the rows before, and a live source remembers none",
            "tell what changed by the row itself: same_as and differs_from compare two columns, each goes through a "
            "change log",
        )
    if mapping.file.format == "csv" or mapping.file.encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
        yield document.mistake(("file",), "is no form of a live source", "its records are JSON objects in UTF-8")


def parse_mapping(document: YamlDocument, mistakes: list[Mistake]) -> RowMapping | None:
    """Return the mapping of a document, or None after adding its mistakes to ``mistakes``."""
    before = len(mistakes)
    shape, violations = check(MappingShape, document)
    if shape is None:
        beside = mistakes_beside(MappingShape, document, violations, _stand_ins(document.data), _build)
        mistakes += sorted([*(one.mistake for one in violations), *beside], key=lambda one: one.line or 0)
        return None
    mapping = Build(shape, document, mistakes).mapping()
    return mapping if len(mistakes) == before else None


def _build(shape: MappingShape, document: YamlDocument, mistakes: list[Mistake]) -> None:
    Build(shape, document, mistakes).mapping()


def _stand_ins(data: object) -> dict[str, object]:
    """Return what stands in for the parts that a mapping must have: with the subject that its events are of."""
    events = data.get("events") if isinstance(data, dict) else None
    types = {one.get("type") for one in events if isinstance(one, dict)} if isinstance(events, list) else set()
    subject = max(SUBJECTS, key=lambda one: len(types & TYPES[one]))
    event = {"type": min(TYPES[subject]), "at": "stand-in"}
    return {"mapping": "stand-in", "subject": subject, "subject_id": "{stand-in}", "events": [event]}


def columns_of(mapping: RowMapping) -> frozenset[str]:
    """Return the columns that a mapping names: the header of a CSV file must have them."""
    found = {mapping.sequence, *mapping.group, *mapping.order}
    conditions = [*mapping.where, *(one for rule in mapping.reject for one in rule.when)]
    if mapping.episodes is not None:
        conditions += mapping.episodes.begin
        found.update(mapping.episodes.at.reads())
    for one in conditions:
        found.update(one.columns())
    for rule in mapping.events:
        found |= _columns_of_event(rule)
    return frozenset(found - {"", EPISODE if mapping.episodes else ""})


def _columns_of_event(rule: EventRule) -> set[str]:
    """Return the columns that an event is made of, but for the parts and numbers that its own rule makes."""
    found = {*rule.at.reads(), *columns_in(rule.subject_id), *columns_in(rule.id, ID_PARTS)}
    for condition in rule.when:
        found.update(condition.columns())
    for source in rule.attributes.values():
        found.update(source.reads())
    if rule.each:
        found = {name for name in found if name.split(".")[0] != EACH} | {rule.each}
    if rule.repeat:
        found = found - {REPETITION} | set(rule.repeat)
    return found
