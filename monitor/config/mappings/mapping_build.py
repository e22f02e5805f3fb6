"""Mappings from their shape: the rules that `monitor.wire.mapping` applies, and the parts that do not fit together."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from monitor.config.mappings.mapping_shape import (
    Attributes,
    ConditionShape,
    EventShape,
    GroupShape,
    InstantShape,
    LengthShape,
    MappingShape,
    RejectShape,
    SourceShape,
    ZoneShape,
)
from monitor.config.reading.quantities import instant_ms
from monitor.config.reading.shape import did_you_mean
from monitor.config.reading.yaml_file import YamlDocument
from monitor.core.facts.events import ATTRIBUTES, SUBJECTS, TYPES, Subject
from monitor.errors import Mistake
from monitor.wire.contract import INSTANTS
from monitor.wire.mapping_rules import (
    EACH,
    EPISODE,
    REASONS,
    REPETITION,
    Compared,
    Condition,
    Episodes,
    EventRule,
    FileForm,
    Instant,
    Length,
    Rejection,
    Repeat,
    RowMapping,
    Source,
    ZoneColumn,
)
from monitor.wire.patterns import MOST_CHARACTERS, pattern_of
from monitor.wire.row_values import SPECIAL_FORMATS, known_zones
from monitor.wire.templates import ID_PARTS, names_in

Path = tuple[str | int, ...]

_BEGINS: Final = frozenset({"opened", "queued", "started", "created"})
"""The events that begin a subject: without its time a row tells of nothing."""


class Build:
    """Makes a mapping from its shape, and reports parts that do not fit together."""

    def __init__(self, shape: MappingShape, document: YamlDocument, mistakes: list[Mistake]) -> None:
        self._shape = shape
        self._document = document
        self._mistakes = mistakes
        self._under_way: list[str] = []
        """The named times that are being made: none of them may need itself."""
        self._instants: list[Instant] = []

    def mapping(self) -> RowMapping:
        """Return the mapping; it is of no use if there are mistakes."""
        shape = self._shape
        self._template(shape.subject_id, ("subject_id",), frozenset())
        for name, one in shape.times.items():
            self._instant(one, ("times", name))
        shared = self._attributes(shape.attributes, ("attributes",))
        events = tuple(self._event(number, event, shared) for number, event in enumerate(shape.events))
        group = shape.group
        if group is not None and group.episodes is not None and not any(one.in_episode for one in events):
            self._wrong(("group", "episodes"), "is used by no event", f"add {{{EPISODE}}} to subject_id")
        return RowMapping(
            name=shape.mapping,
            subject=shape.subject,
            subject_id=shape.subject_id,
            events=events,
            missing=frozenset(shape.missing) | {""},
            sequence=shape.sequence or "",
            group=tuple(group.by) if group else (),
            order=tuple(group.order or ()) if group else (),
            by_time=_time_of_rows(events) if group and not group.order else None,
            episodes=self._episodes(group),
            where=self._when(shape.where, ("where",)),
            reject=tuple(self._rejection(number, one) for number, one in enumerate(shape.reject)),
            file=FileForm(format=shape.file.format or "", delimiter=shape.file.delimiter, encoding=shape.file.encoding),
        )

    def _episodes(self, group: GroupShape | None) -> Episodes | None:
        if group is None or group.episodes is None:
            return None
        path: Path = ("group", "episodes")
        return Episodes(
            self._when(group.episodes.begin, (*path, "begin")), self._instant(group.episodes.at, (*path, "at"))
        )

    def _event(self, number: int, event: EventShape, shared: dict[str, Source]) -> EventRule:
        path: Path = ("events", number)
        subject: Subject = self._shape.subject
        if event.type not in TYPES[subject]:
            others = [one for one in SUBJECTS if event.type in TYPES[one]]
            hint = f"it is one of {others[0]}" if others else did_you_mean(event.type, TYPES[subject])
            self._wrong((*path, "type"), f"is no event of a {subject}: {event.type!r}", hint)
        if event.rows != "every" and self._shape.group is None:
            self._wrong((*path, "rows"), "needs to know which rows belong together", "add group: {by: [column]}")
        if event.subject_id is not None:
            self._template(event.subject_id, (*path, "subject_id"), frozenset())
        self._template(event.id, (*path, "id"), ID_PARTS)
        self._check_repeat(event, path)
        subject_id = event.subject_id or self._shape.subject_id
        in_episode = self._has_episodes and EPISODE in _names(subject_id)
        optional = event.optional
        if optional is None:
            # Of what has not happened yet the row says nothing but its time. Conditions that hold and numbers say more.
            optional = event.type not in _BEGINS and event.when is None and event.repeat is None
        return EventRule(
            type=event.type,
            at=self._instant(event.at, (*path, "at")),
            subject_id=subject_id,
            id=event.id,
            rows=event.rows,
            when=self._when(event.when, (*path, "when")),
            each=event.each or "",
            separator=event.separator,
            attributes={**shared, **self._attributes(event.attributes, (*path, "attributes"))},
            repeat=None if event.repeat is None else Repeat(event.repeat.times, event.repeat.after or ""),
            optional=optional,
            in_episode=in_episode,
        )

    @property
    def _has_episodes(self) -> bool:
        return self._shape.group is not None and self._shape.group.episodes is not None

    def _check_repeat(self, event: EventShape, path: Path) -> None:
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

    def _when(self, when: dict[str, ConditionShape] | None, path: Path) -> tuple[Condition, ...]:
        return tuple(self._condition(column, one, (*path, column)) for column, one in (when or {}).items())

    def _condition(self, column: str, one: ConditionShape, path: Path) -> Condition:
        named = self._shape.times.get(column)
        if named and not one.model_fields_set <= {"before", "after"}:
            self._wrong(path, "is a time of `times`, no column", "only `before` and `after` compare times")
        if one.missing is not None and one.present is not None:
            self._wrong(path, "says missing and present", "one of the two is enough")
        condition = Condition(
            column=named.columns[0] if named and named.columns else column,
            is_in=_values(one.is_in),
            not_in=_values(one.not_in),
            present=one.present if one.missing is None else not one.missing,
            same_as=one.same_as or "",
            differs_from=one.differs_from or "",
            changed=one.changed,
            becomes=_values(one.becomes),
            leaves=_values(one.leaves),
            compared=self._compared(column, one, path),
        )
        if condition.looks_back and self._shape.group is None:
            self._wrong(path, "looks at the row before", "add group: {by: [column]}: which rows belong together")
        return condition

    def _compared(self, column: str, one: ConditionShape, path: Path) -> Compared | None:
        for text in one.pattern or ():
            if len(text) > MOST_CHARACTERS:
                self._wrong((*path, "pattern"), f"has more than {MOST_CHARACTERS} characters", "a prefix may be enough")
        before, after = (
            None
            if other is None
            else (self._instant(InstantShape(columns=[column]), path), self._instant(other, (*path, name)))
            for name, other in (("before", one.before), ("after", one.after))
        )
        compared = Compared(
            prefix=tuple(one.prefix or ()),
            pattern=tuple(pattern_of(text) for text in one.pattern or ()),
            above=one.above,
            below=one.below,
            at_least=one.at_least,
            at_most=one.at_most,
            before=before,
            after=after,
        )
        return None if compared == Compared() else compared

    def _attributes(self, given: Attributes, path: Path) -> dict[str, Source]:
        found = {}
        for name, source in given.items():
            kept = INSTANTS.get(name, name)
            if kept not in ATTRIBUTES:
                hint = did_you_mean(name, {*ATTRIBUTES, *INSTANTS})
                self._wrong((*path, name), "is no attribute of an event", hint)
                continue
            found[kept] = self._source(kept, _as_time(source) if name in INSTANTS else source, (*path, name))
        return found

    def _source(self, name: str, source: SourceShape, path: Path) -> Source:
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
            span=None if source.span is None else _length(source.span),
        )

    def _instant(self, one: InstantShape, path: Path) -> Instant:
        """Return a time; the same one for all that say the same, since a row works it out once."""
        made = self._made_instant(one, path)
        known = next((other for other in self._instants if other == made), None)
        if known is None:
            self._instants.append(made)
        return known or made

    def _made_instant(self, one: InstantShape, path: Path) -> Instant:
        columns = one.columns or []
        if len(columns) == 1 and columns[0] in self._shape.times and path != ("times", columns[0]):
            return self._named(columns[0], one, path)
        time = self._shape.time
        formats, zone = tuple(one.formats or time.formats), one.zone or time.zone or ZoneShape.model_construct()
        if one.constant is not None:
            return self._constant(one, zone.name, path)
        fixed = zone.name or ""
        has_zone = bool(fixed or zone.column)
        if one.days_since is not None and (len(columns) != 1 or not has_zone):
            self._wrong(path, "days are counted in one column, and in a zone", "add zone: Europe/Berlin, say")
        for form in formats if one.days_since is None else ():
            pattern = form not in SPECIAL_FORMATS
            where = (*path, "formats") if one.formats else ("time", "formats")
            if pattern and "%" not in form:
                self._wrong(where, f"is no time format: {form!r}", did_you_mean(form, SPECIAL_FORMATS))
            elif pattern and "%z" not in form and not has_zone:
                self._wrong(where, f"{form!r} has no offset, and no zone is named", "add zone: Europe/Berlin, say")
        if zone.column:
            known_zones()
        later = one.next_day_if_before
        return Instant(
            columns=tuple(columns),
            formats=formats,
            zone=fixed,
            zone_column=ZoneColumn(zone.column, zone.values, zone.otherwise or "") if zone.column else None,
            days_since=one.days_since,
            plus=tuple(_length(length) for length in one.plus or ()),
            next_day_if_before=None
            if later is None
            else self._instant(InstantShape(columns=[later]), (*path, "next_day_if_before")),
        )

    def _named(self, name: str, one: InstantShape, path: Path) -> Instant:
        """Return one of the mapping's ``times``, with what is said beside its name."""
        if name in self._under_way:
            self._wrong(path, f"the time {name!r} needs itself", "name a column in place of one of the times")
            return Instant(columns=(name,), formats=("rfc3339",))
        more = {key: getattr(one, key) for key in one.model_fields_set - {"columns"}}
        named = self._shape.times[name]
        self._under_way.append(name)
        found = self._instant(named.model_copy(update=more), ("times", name) if not more else path)
        self._under_way.pop()
        return found

    def _constant(self, one: InstantShape, zone: str | None, path: Path) -> Instant:
        for key in sorted(one.model_fields_set - {"constant", "zone"}):
            self._wrong((*path, key), "does not go together with constant", "leave one of the two out")
        assert one.constant is not None
        if not isinstance(one.constant, datetime) and not zone:
            self._wrong((*path, "constant"), "a date begins in a zone", "add zone: Europe/Berlin, say")
        return Instant(columns=(), formats=(), constant_ms=instant_ms(one.constant, zone or "UTC"))

    def _template(self, text: str, path: Path, known: frozenset[str]) -> None:
        hint = 'write columns in braces: "{number}"'
        try:
            names = names_in(text)
        except ValueError as error:
            self._wrong(path, f"is no template: {error}", hint)
            return
        if not names:
            self._wrong(path, f"names no column, so it is the same for every row: {text!r}", hint)
        elif not all(names):
            self._wrong(path, "has empty braces", hint)
        elif known and names and set(names) <= {"type", "sequence"}:
            self._wrong(path, f"is not unique: {text!r}", "add {subject_id}")
        elif EPISODE in names and known:
            self._wrong(path, f"{{{EPISODE}}} belongs into the subject_id", "an episode is a subject of its own")

    def _wrong(self, path: Path, message: str, hint: str) -> None:
        mistake = self._document.mistake(path, message, hint)
        if mistake not in self._mistakes:
            self._mistakes.append(mistake)


def _values(given: list[str] | None) -> frozenset[str] | None:
    return None if given is None else frozenset(given)


def _length(one: LengthShape) -> Length:
    return Length(one.column, one.unit)


def _as_time(source: SourceShape) -> SourceShape:
    """Return the source of an instant: a column is read as a time is."""
    if source.column is None:
        return source
    return SourceShape.model_validate({"time": source.column})


def _names(template: str) -> list[str]:
    """Return the names in a template; none if it is no template, which is told elsewhere."""
    try:
        return names_in(template)
    except ValueError:
        return []


def _time_of_rows(events: tuple[EventRule, ...]) -> Instant | None:
    """Return the time of a row in its group: that of its events, but for those of the first row, if all agree on it."""
    later = [one for one in events if one.rows != "first"] or list(events)
    first = later[0].at
    of_parts = any(name.split(".")[0] == EACH for name in first.reads()) and any(one.each for one in events)
    return first if first.columns and not of_parts and all(one.at == first for one in later) else None
