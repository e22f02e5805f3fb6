"""Multi-level agreements from documents: inherited values, and mistakes between levels.

A lower level's document names only its changes. Its editions (`monitor.core.agreements.levels`) are made by laying
the documents of its chain over each other, the uppermost first, and building the result as any other document.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import orjson

from monitor.config.agreements.agreement_build import build
from monitor.config.agreements.agreement_shape import AgreementShape
from monitor.config.reading.shape import check, did_you_mean
from monitor.config.reading.yaml_file import YamlDocument
from monitor.core.agreements.agreement import Agreement, Origin
from monitor.core.agreements.levels import RANKS, Edition, editions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitor.config.agreements.document import AgreementDocument
    from monitor.core.agreements.measures import Filter
    from monitor.errors import Mistake

OWN: Final = frozenset({
    "agreement", "version", "valid_from", "terminates", "name", "form", "kind", "supports", "level", "under",
    "provider", "customer", "parties", "binding", "service", "status", "accepted_by", "accepted_on", "zone", "covers",
    "term",
})  # fmt: skip
"""What a level says of itself: it is never inherited, and complete without the levels above."""
NAMES: Final = {"contacts": "role", "parties": "name"}
"""By what the entries of a list are told apart; all others by their id."""


def is_lower(document: object) -> bool:
    """Return whether a document is of a level that stands under another one."""
    return isinstance(document, dict) and document.get("under") is not None


def own_part(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a lower level that can be checked without the levels above."""
    return {key: value for key, value in document.items() if key in OWN}


@dataclass(frozen=True, slots=True)
class _Laid(YamlDocument):
    """A document laid over those above it: mistakes are told where its own text stands."""

    own: Mapping[str, Any] = field(default_factory=dict)

    def line_of(self, path: Sequence[str | int]) -> int:
        """Return the line in the lowest document, or that of its section where an entry comes from above."""
        translated = list(path)
        if len(path) > 1 and isinstance(path[1], int) and isinstance(self.data, dict):
            name = NAMES.get(str(path[0]), "id")
            entries: Any = self.data[str(path[0])]
            own: Any = self.own.get(str(path[0])) or []
            wanted = _name_of(entries[path[1]], name)
            places = [place for place, one in enumerate(own) if _name_of(one, name) == wanted]
            translated = [path[0], places[0], *path[2:]] if places else [path[0]]
        return YamlDocument.line_of(self, translated)


def _name_of(entry: object, name: str) -> object:
    """Return the key by which an entry of a list is known: the entry itself where it is no map."""
    return entry.get(name) if isinstance(entry, dict) else entry


def effective(
    documents: Sequence[AgreementDocument], mistakes: list[Mistake], warnings: list[Mistake] | None = None
) -> list[Agreement]:
    """Return all agreements with their inherited values: a version with several editions comes once for each.

    Mistakes of an edition go to ``mistakes``. Where it cannot be made, because a level above is not in force,
    the version has no measures.
    """
    if not any(one.agreement.under for one in documents):
        return [one.agreement for one in documents]
    of = {(one.agreement.id, one.agreement.version): one for one in documents}
    found = []
    for edition in editions(one.agreement for one in documents):
        own = of[edition.own.id, edition.own.version]
        if not edition.own.under:
            found.append(edition.own)
            continue
        chain = [of[one.id, one.version] for one in edition.above] + [own]
        found.append(_built(edition, chain, mistakes, [] if warnings is None else warnings))
    return found


def _built(
    edition: Edition, chain: Sequence[AgreementDocument], mistakes: list[Mistake], warnings: list[Mistake]
) -> Agreement:
    laid, origins = laid_over(chain)
    own = chain[-1]
    agreement, wrong, told = _parsed(_Key(orjson.dumps(laid, option=orjson.OPT_SORT_KEYS), laid, own))
    if wrong and (edition.above[0] if edition.above else edition.own).under:
        # A level above is not in force (yet, or any more): it is nobody's mistake that its part is missing.
        message = f"{own.agreement.under} is not in force all the time: what needs it promises nothing then"
        told = (own.source.mistake(("under",), message, "it should begin before this level, and end after it"),)
    else:
        mistakes.extend(one for one in wrong if one not in mistakes)
    warnings.extend(one for one in told if one not in warnings)
    return replace(
        agreement or own.agreement,
        valid_from_ms=edition.from_ms,
        edition_ms=edition.from_ms,
        lineage=tuple(one.id for one in edition.above),
        origins=origins,
    )


class _Key:
    """A laid document under its bytes: building it is slow, and books are made anew at each amendment."""

    __slots__ = ("laid", "own", "text")

    def __init__(self, text: bytes, laid: dict[str, Any], own: AgreementDocument) -> None:
        self.text = text
        self.laid = laid
        self.own = own

    def __hash__(self) -> int:
        return hash(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.text == other.text and self.own.file == other.own.file


@lru_cache(maxsize=4096)
def _parsed(key: _Key) -> tuple[Agreement | None, tuple[Mistake, ...], tuple[Mistake, ...]]:
    source = key.own.source
    laid = _Laid(source.file, key.laid, source._node, key.own.document)  # noqa: SLF001 - the lines of the same file
    shape, violations = check(AgreementShape, laid)
    if shape is None:
        return None, tuple(violation.mistake for violation in violations), ()
    wrong: list[Mistake] = []
    told: list[Mistake] = []
    agreement = build(shape, laid, wrong, told)
    return agreement, tuple(wrong), tuple(told)


def _over(
    upper: Mapping[str, Any], lower: Mapping[str, Any], origin: Origin, origins: dict[str, Origin]
) -> dict[str, Any]:
    """Return a document laid over the one above it; ``origins`` then name the level that says each part."""
    laid = {key: value for key, value in upper.items() if key not in OWN}
    for key, value in lower.items():
        before = laid.get(key)
        if key in OWN:
            laid[key] = value
        elif _are_entries(key, value) and (before is None or _are_entries(key, before)):
            laid[key] = _entries(key, before or [], value, origin, origins)
        else:
            laid[key] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
            for part in value if isinstance(value, dict) else ():
                origins[f"{key}.{part}"] = origin
            origins[key] = origin
    return laid


_OF_DUE_AT: Final = frozenset({"due_at", "pauses_move_due"})
"""What a level that gives targets does not inherit: a due instant of the record stands in their place."""


def _are_entries(section: str, value: object) -> bool:
    name = NAMES.get(section, "id")
    return isinstance(value, list) and all(isinstance(one, dict) and isinstance(one.get(name), str) for one in value)


def _entries(
    section: str, upper: list[dict[str, Any]], lower: list[dict[str, Any]], origin: Origin, origins: dict[str, Origin]
) -> list[dict[str, Any]]:
    """Return entries laid over those of the same name: a named part replaces, targets add up by priority."""
    name = NAMES.get(section, "id")
    laid = {one[name]: one for one in upper}
    for one in lower:
        before = laid.get(one[name], {})
        laid[one[name]] = after = {**before, **one}
        place = f"{section}.{one[name]}"
        origins[place] = origin
        if "due_at" in one and "targets" not in one:
            after.pop("targets", None)
        elif "targets" in one and "due_at" not in one:
            after = laid[one[name]] = {key: kept for key, kept in after.items() if key not in _OF_DUE_AT}
        if isinstance(one.get("targets"), dict):
            after["targets"] = {**before.get("targets", {}), **one["targets"]}
            origins.update({f"{place}.targets.{priority}": origin for priority in one["targets"]})
    # Entries that stand twice in one document stay twice: that is the mistake which is told then.
    repeated = [one for place, one in enumerate(lower) if one[name] in [other[name] for other in lower[:place]]]
    return [*laid.values(), *repeated]


def laid_over(chain: Iterable[AgreementDocument]) -> tuple[dict[str, Any], dict[str, Origin]]:
    """Return the documents of levels laid over each other, the uppermost first, and which level says each path."""
    laid: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for one in chain:
        laid = _over(laid, one.document, origin_of(one.agreement), origins)
    return laid, origins


def origin_of(level: Agreement) -> Origin:
    """Return a level as that which says something."""
    return Origin(level.id, level.version, level.level or "")


def level_mistakes(documents: Iterable[AgreementDocument]) -> tuple[list[Mistake], list[Mistake]]:
    """Return the mistakes and warnings between the levels of agreements.

    A level under an unknown one, or under one that is not above it (so that no circle is possible); a lower level that
    covers more than the upper one, and one whose upper level binds nobody yet.
    """
    mistakes: list[Mistake] = []
    warnings: list[Mistake] = []
    versions: dict[str, list[AgreementDocument]] = {}
    for one in sorted(documents, key=lambda one: (one.agreement.id, one.agreement.version)):
        versions.setdefault(one.agreement.id, []).append(one)
    for one in (one for of_one in versions.values() for one in of_one if one.agreement.under):
        lower = one.agreement
        uppers = versions.get(lower.under)
        if uppers is None:
            hint = did_you_mean(lower.under, versions) or "give the file of the upper level too"
            mistakes.append(one.source.mistake(("under",), f"there is no agreement {lower.under!r}", hint))
            continue
        upper = uppers[-1].agreement
        if RANKS.get(str(upper.level), 9) >= RANKS.get(str(lower.level), 9):
            message = f"a {lower.level} level cannot stand under {upper.id}, level {upper.level or 'none'}"
            mistakes.append(one.source.mistake(("under",), message, "from above: corporate, customer, service"))
        for name in _wider(lower.covers, upper.covers):
            message = f"covers {name} that {upper.id} does not cover"
            warnings.append(one.source.mistake(("covers",), message, "there it inherits promises made to others"))
        if lower.status != "draft" and all(other.agreement.status == "draft" for other in uppers):
            message = f"{upper.id} is not accepted: nothing is inherited from it"
            warnings.append(one.source.mistake(("under",), message, "an agreement binds only once it is accepted"))
        if lower.zone != upper.zone:
            message = f"is not that of {upper.id}, {upper.zone}: days and months are those of {lower.zone}"
            warnings.append(one.source.mistake(("zone",), message))
    return mistakes, warnings


def _wider(lower: Filter, upper: Filter) -> list[str]:
    named = dict(lower.any_of)
    return [name for name, values in upper.any_of if not named.get(name) or not named[name] <= values]
