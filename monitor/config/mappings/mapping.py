"""Mapping files: read strictly and with hints into the rules that `monitor.wire.mapping` applies.

One file holds one mapping. tests/mappings/ holds three real ones; their comments explain every part.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from monitor.config.mappings.mapping_shape import (
    Attributes,
    ConditionShape,
    EventShape,
    InstantShape,
    MappingShape,
    RejectShape,
    SourceShape,
)
from monitor.config.mappings.same_event import starts_that_stop
from monitor.config.reading.shape import did_you_mean, validate
from monitor.config.reading.yaml_file import YamlDocument, load_documents
from monitor.core.facts.events import ATTRIBUTES, SUBJECTS, TYPES, Subject
from monitor.errors import ConfigError, Mistake
from monitor.wire.mapping_rules import (
    EACH,
    REASONS,
    REPETITION,
    Condition,
    EventRule,
    FileForm,
    Instant,
    Rejection,
    Repeat,
    RowMapping,
    Source,
)
from monitor.wire.row_values import SPECIAL_FORMATS

_ID_PARTS = frozenset({"subject_id", "type", "time_ms", "sequence"})


def load_mapping(path: Path, *, live: bool = False) -> RowMapping:
    """Read a mapping file; ``live``: it is to be put in front of a topic.

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
    return mapping


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
    shape = validate(MappingShape, document, mistakes)
    if shape is None:
        return None
    build = _Build(shape, document, mistakes)
    mapping = build.mapping()
    if len(mistakes) == before:
        mistakes += starts_that_stop(mapping, document)
    return mapping if len(mistakes) == before else None


class _Build:
    """Makes a mapping from its shape, and reports parts that do not fit together."""

    def __init__(self, shape: MappingShape, document: YamlDocument, mistakes: list[Mistake]) -> None:
        self._shape = shape
        self._document = document
        self._mistakes = mistakes

    def mapping(self) -> RowMapping:
        shape = self._shape
        self._template(shape.subject_id, ("subject_id",), frozenset())
        shared = self._attributes(shape.attributes, ("attributes",))
        group = shape.group
        return RowMapping(
            name=shape.mapping,
            subject=shape.subject,
            events=tuple(self._event(number, event, shared) for number, event in enumerate(shape.events)),
            missing=frozenset(shape.missing) | {""},
            sequence=shape.sequence or "",
            group=tuple(group.by) if group else (),
            order=tuple(group.order or ()) if group else (),
            where=self._when(shape.where, ("where",)),
            reject=tuple(self._rejection(number, one) for number, one in enumerate(shape.reject)),
            file=FileForm(format=shape.file.format or "", delimiter=shape.file.delimiter, encoding=shape.file.encoding),
        )

    def _event(self, number: int, event: EventShape, shared: dict[str, Source]) -> EventRule:
        path: tuple[str | int, ...] = ("events", number)
        subject: Subject = self._shape.subject
        if event.type not in TYPES[subject]:
            others = [one for one in SUBJECTS if event.type in TYPES[one]]
            hint = f"it is one of {others[0]}" if others else did_you_mean(event.type, TYPES[subject])
            self._wrong((*path, "type"), f"is no event of a {subject}: {event.type!r}", hint)
        if event.rows != "every" and self._shape.group is None:
            self._wrong((*path, "rows"), "needs to know which rows belong together", "add group: {by: [column]}")
        if event.subject_id is not None:
            self._template(event.subject_id, (*path, "subject_id"), frozenset())
        self._template(event.id, (*path, "id"), _ID_PARTS)
        self._check_repeat(event, path)
        return EventRule(
            type=event.type,
            at=self._instant(event.at, (*path, "at")),
            subject_id=event.subject_id or self._shape.subject_id,
            id=event.id,
            rows=event.rows,
            when=self._when(event.when, (*path, "when")),
            each=event.each or "",
            separator=event.separator,
            attributes={**shared, **self._attributes(event.attributes, (*path, "attributes"))},
            repeat=None if event.repeat is None else Repeat(event.repeat.times, event.repeat.after or ""),
        )

    def _check_repeat(self, event: EventShape, path: tuple[str | int, ...]) -> None:
        subject_id = event.subject_id or self._shape.subject_id
        ids = (event.id, subject_id) if "{subject_id}" in event.id else (event.id,)
        numbered = any(f"{{{REPETITION}}}" in one for one in ids)
        if event.repeat is not None and event.each is not None:
            self._wrong((*path, "repeat"), "does not go together with each", "a list is one way, a number the other")
        elif event.repeat is not None and not numbered:
            self._wrong((*path, "repeat"), "gives all of them one id", f"add {{{REPETITION}}} to the subject_id or id")
        elif event.repeat is None and f"{{{REPETITION}}}" in event.id + subject_id:
            self._wrong(path, f"is not repeated, and {{{REPETITION}}} has no value", "add repeat: {times: column}")

    def _rejection(self, number: int, one: RejectShape) -> Rejection:
        path = ("reject", number)
        if one.reason in REASONS:
            self._wrong((*path, "reason"), f"is a reason of our own: {one.reason!r}", "choose another word")
        return Rejection(reason=one.reason, when=self._when(one.when, (*path, "when")))

    def _when(self, when: dict[str, ConditionShape] | None, path: tuple[str | int, ...]) -> tuple[Condition, ...]:
        return tuple(self._condition(column, one, (*path, column)) for column, one in (when or {}).items())

    def _condition(self, column: str, one: ConditionShape, path: tuple[str | int, ...]) -> Condition:
        named = self._shape.times.get(column)
        if named and set(one.model_fields_set) != {"before"}:
            self._wrong(path, "is a time of `times`, no column", "only `before` compares times")
        condition = Condition(
            column=named.columns[0] if named else column,
            is_in=_values(one.is_in),
            not_in=_values(one.not_in),
            present=one.present,
            same_as=one.same_as or "",
            differs_from=one.differs_from or "",
            changed=one.changed,
            becomes=_values(one.becomes),
            leaves=_values(one.leaves),
            before=None
            if one.before is None
            else (
                self._instant(InstantShape(columns=[column]), path),
                self._instant(one.before, (*path, "before")),
            ),
        )
        if condition.looks_back and self._shape.group is None:
            self._wrong(path, "looks at the row before", "add group: {by: [column]}: which rows belong together")
        return condition

    def _attributes(self, given: Attributes, path: tuple[str | int, ...]) -> dict[str, Source]:
        found = {}
        for name, source in given.items():
            if name not in ATTRIBUTES:
                self._wrong((*path, name), "is no attribute of an event", did_you_mean(name, ATTRIBUTES))
                continue
            found[name] = self._source(name, source, (*path, name))
        return found

    def _source(self, name: str, source: SourceShape, path: tuple[str | int, ...]) -> Source:
        kind, constant = ATTRIBUTES[name], source.constant
        if constant is not None:
            whole_number = kind is float and type(constant) is int
            if type(constant) is not kind and not whole_number:
                self._wrong((*path, "constant"), f"must be {kind.__name__}, not {constant!r}", "")
            constant = float(constant) if whole_number else constant
        if source.previous and self._shape.group is None:
            self._wrong((*path, "previous"), "looks at the row before", "add group: {by: [column]}")
        if kind in (str, bool) and (source.time or source.duration or source.span or source.times != 1):
            self._wrong(path, f"{name} is no number", "times, time, duration and span make numbers")
        duration = source.duration
        return Source(
            constant=constant,
            column=source.column or "",
            previous=source.previous,
            values=source.values,
            otherwise=source.otherwise,
            times=float(source.times),
            instant=self._instant(source.time, (*path, "time")) if source.time else None,
            duration=None
            if duration is None
            else (
                self._instant(duration.start, (*path, "duration", "from")),
                self._instant(duration.end, (*path, "duration", "to")),
            ),
            span=source.span or "",
        )

    def _instant(self, one: InstantShape, path: tuple[str | int, ...]) -> Instant:
        time = self._shape.time
        if len(one.columns) == 1:
            named = self._shape.times.get(one.columns[0], one)
            one = named.model_copy(update={"plus": one.plus or named.plus})
        formats, zone = tuple(one.formats or time.formats), one.zone or time.zone or ""
        if one.days_since is not None and (len(one.columns) != 1 or not zone):
            self._wrong(path, "days are counted in one column, and in a zone", "add zone: Europe/Berlin, say")
        for form in formats if one.days_since is None else ():
            pattern = form not in SPECIAL_FORMATS
            where = (*path, "formats") if one.formats else ("time", "formats")
            if pattern and "%" not in form:
                self._wrong(where, f"is no time format: {form!r}", did_you_mean(form, SPECIAL_FORMATS))
            elif pattern and "%z" not in form and not zone:
                self._wrong(where, f"{form!r} has no offset, and no zone is named", "add zone: Europe/Berlin, say")
        return Instant(
            columns=tuple(one.columns),
            formats=formats,
            zone=zone,
            days_since=one.days_since,
            plus=tuple(one.plus or ()),
        )

    def _template(self, text: str, path: tuple[str | int, ...], known: frozenset[str]) -> None:
        hint = 'write columns in braces: "{number}"'
        try:
            names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
        except ValueError as error:
            self._wrong(path, f"is no template: {error}", hint)
            return
        if not names:
            self._wrong(path, f"names no column, so it is the same for every row: {text!r}", hint)
        elif not all(names):
            self._wrong(path, "has empty braces", hint)
        elif known and names and set(names) <= {"type", "sequence"}:
            self._wrong(path, f"is not unique: {text!r}", "add {subject_id}")

    def _wrong(self, path: tuple[str | int, ...], message: str, hint: str) -> None:
        mistake = self._document.mistake(path, message, hint)
        if mistake not in self._mistakes:
            self._mistakes.append(mistake)


def _values(given: list[str] | None) -> frozenset[str] | None:
    return None if given is None else frozenset(given)


def columns_of(mapping: RowMapping) -> frozenset[str]:
    """Return the columns that a mapping names: the header of a CSV file must have them."""
    found = {mapping.sequence, *mapping.group, *mapping.order}
    conditions = [*mapping.where, *(one for rule in mapping.reject for one in rule.when)]
    instants: list[Instant] = []
    templates: list[str] = []
    for rule in mapping.events:
        conditions += rule.when
        instants.append(rule.at)
        found.add(rule.each)
        found.update(rule.repeat or ())
        templates += [rule.subject_id, rule.id]
        for source in rule.attributes.values():
            found |= {source.column, source.span}
            instants += [*(source.duration or ()), *([source.instant] if source.instant else [])]
    for condition in conditions:
        found |= {condition.column, condition.same_as, condition.differs_from}
        instants += condition.before or ()
    found.update(column for instant in instants for column in (*instant.columns, *instant.plus))
    found.update(name for text in templates for _, name, _, _ in Formatter().parse(text) if name)
    own = {name for name in found if name.split(".")[0] == EACH}
    return frozenset(found - own - {"", REPETITION} - _ID_PARTS)
