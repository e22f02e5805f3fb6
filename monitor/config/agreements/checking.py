"""Agreements from files and from documents that came over Kafka: read, checked together, put into a `Book`.

A document is the plain data of one version of one agreement, as its YAML says it;
`monitor.config.agreements.agreement_shape` is its format. It is published, compared and stamped.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import holidays
import orjson

from monitor.config.agreements.agreement_build import build
from monitor.config.agreements.agreement_shape import AgreementShape
from monitor.config.agreements.document import AgreementDocument
from monitor.config.agreements.levels import effective, is_lower, level_mistakes, own_part
from monitor.config.agreements.overlaps import overlap_warnings
from monitor.config.agreements.supporting import support_warnings
from monitor.config.reading.partial import mistakes_beside
from monitor.config.reading.shape import check
from monitor.config.reading.yaml_file import YamlDocument, load_documents
from monitor.core.agreements.book import Book
from monitor.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.config.reading.shape import Violation
    from monitor.core.agreements.agreement import Agreement

FORMAT: Final = 1
"""Raised when the same document comes to mean something else: rows are then folded again."""

# What stands in for a part that every agreement must have: none of it makes other parts wrong.
_STAND_INS: Final[dict[str, str | int]] = {
    "agreement": "stand-in", "version": 1, "valid_from": "2000-01-01", "name": "stand-in", "form": "service",
    "provider": "stand-in", "customer": "stand-in", "service": "stand-in", "status": "draft",
}  # fmt: skip
_SUFFIXES: Final = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The contents of files: the documents without mistakes, all mistakes, and all warnings."""

    documents: tuple[AgreementDocument, ...]
    mistakes: tuple[Mistake, ...]
    warnings: tuple[Mistake, ...]
    agreements: tuple[Agreement, ...] = ()
    """With what they inherit from the levels above: one for each edition."""

    def editions(self, document: AgreementDocument) -> list[Agreement]:
        """Return the texts of a version, in the order of their instants: several where levels above are amended."""
        wanted = document.agreement.id, document.agreement.version
        return [one for one in self.agreements if (one.id, one.version) == wanted]


NOTHING_CHECKED: Final = Check(documents=(), mistakes=(), warnings=())
"""The result where there are no files of agreements."""


def check_agreements(paths: Path | Sequence[Path], *, alone: bool = True) -> Check:
    """Read the files, and the ``*.yaml`` and ``*.yml`` of the folders, without raising for their mistakes.

    Not ``alone``: other documents may stand above them, so that inherited values are not judged.
    """
    mistakes: list[Mistake] = []
    warnings: list[Mistake] = []
    documents: list[AgreementDocument] = []
    for path in _files([paths] if isinstance(paths, Path) else paths, mistakes):
        for source in load_documents(path, mistakes):
            document = _parse(source, mistakes, warnings)
            if document is not None:
                documents.append(document)
    mistakes.extend(_version_mistakes(documents))
    agreements: list[Agreement] = []
    if alone and not mistakes:
        wrong, told = level_mistakes(documents)
        mistakes.extend(wrong)
        warnings.extend(told)
        agreements = effective(documents, mistakes, warnings)
        warnings.extend(support_warnings(documents, agreements))
        warnings.extend(warning for _, _, warning in overlap_warnings(documents, agreements))
    return Check(
        documents=tuple(documents), mistakes=tuple(mistakes), warnings=tuple(warnings), agreements=tuple(agreements)
    )


def read_documents(paths: Path | Sequence[Path], *, alone: bool = True) -> list[AgreementDocument]:
    """Return all documents of files and folders. Not ``alone``: levels above them may stand elsewhere.

    Raises:
        ConfigError: all mistakes of all files.
    """
    checked = check_agreements(paths, alone=alone)
    if checked.mistakes:
        raise ConfigError(list(checked.mistakes))
    return list(checked.documents)


def load_agreements(paths: Path | Sequence[Path]) -> Book:
    """Return the book of all agreements in files and folders.

    Raises:
        ConfigError: all mistakes of all files.
    """
    return book_of(read_documents(paths))


def parse_document(document: object, file: str = "agreement") -> AgreementDocument:
    """Return the version of an agreement that a document describes; ``file`` names where it came from.

    Raises:
        ConfigError: all its mistakes.
    """
    mistakes: list[Mistake] = []
    warnings: list[Mistake] = []
    parsed = _parse(YamlDocument(file, document), mistakes, warnings)  # type: ignore[arg-type] # checked there
    if parsed is None or mistakes:
        raise ConfigError(mistakes)
    return parsed


def parse_agreement(document: object, file: str = "agreement") -> Agreement:
    """Return the agreement alone of `parse_document`.

    Raises:
        ConfigError: all its mistakes.
    """
    return parse_document(document, file).agreement


def book_of(documents: Iterable[AgreementDocument]) -> Book:
    """Return the book of these documents; its stamp depends on their content alone, not on files or order.

    Raises:
        ConfigError: versions that contradict each other: a number used twice, or one that begins too early; a level
            that does not fit to those above it. Where an upper level is unknown, nothing is inherited from it.
    """
    ordered = sorted(documents, key=lambda one: (one.agreement.id, one.agreement.version))
    mistakes = _version_mistakes(ordered)
    agreements = [] if mistakes else effective(ordered, mistakes)
    if mistakes:
        raise ConfigError(mistakes)
    return Book(agreements=tuple(agreements), stamp=_stamp(ordered))


def _stamp(documents: Sequence[AgreementDocument]) -> int:
    # Holidays are not in the documents: a library that knows others changes what they mean.
    digest = hashlib.blake2b(f"{FORMAT} {holidays.__version__}".encode(), digest_size=8)
    for one in documents:
        digest.update(b"\n" + orjson.dumps(one.document, option=orjson.OPT_SORT_KEYS))
    return int.from_bytes(digest.digest(), "big") >> 1 or 1


def _files(paths: Sequence[Path], mistakes: list[Mistake]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        found = sorted(one for one in path.iterdir() if one.suffix in _SUFFIXES and one.is_file())
        if not found:
            mistakes.append(
                Mistake(file=str(path), line=None, path="", message="holds no agreements", hint="*.yaml or *.yml")
            )
        files.extend(found)
    return files


def _parse(source: YamlDocument, mistakes: list[Mistake], warnings: list[Mistake]) -> AgreementDocument | None:
    if is_lower(source.data):
        return _parse_lower(source, mistakes)
    shape, violations = check(AgreementShape, source)
    if shape is None or not isinstance(source.data, dict):
        _tell_all(source, violations, mistakes)
        return None
    wrong: list[Mistake] = []
    told: list[Mistake] = []
    agreement = build(shape, source, wrong, told)
    mistakes.extend(wrong)
    warnings.extend(told)
    if agreement is None:
        return None
    return AgreementDocument(
        file=source.file, document=source.data, agreement=agreement, warnings=tuple(told), source=source
    )


def _parse_lower(source: YamlDocument, mistakes: list[Mistake]) -> AgreementDocument | None:
    """Return a lower level as far as it can be checked alone: other values are checked with the other levels."""
    assert isinstance(source.data, dict)
    own = replace(source, data=own_part(source.data))
    shape, violations = check(AgreementShape, own)
    if shape is None:
        _tell_all(own, violations, mistakes)
        return None
    agreement = build(shape, source, mistakes, [])
    if agreement is None:
        return None
    return AgreementDocument(file=source.file, document=source.data, agreement=agreement, source=source)


def _tell_all(source: YamlDocument, violations: Sequence[Violation], mistakes: list[Mistake]) -> None:
    """Add the mistakes of a document that violates the shape, and those of what stands beside."""
    beside = mistakes_beside(
        AgreementShape, source, violations, _STAND_INS, lambda shape, rest, told: build(shape, rest, told, [])
    )
    mistakes.extend(sorted([*(one.mistake for one in violations), *beside], key=lambda one: one.line or 0))


def _version_mistakes(documents: Iterable[AgreementDocument]) -> list[Mistake]:
    mistakes: list[Mistake] = []
    before: dict[str, AgreementDocument] = {}
    for one in sorted(documents, key=lambda one: (one.agreement.id, one.agreement.version)):
        earlier = before.get(one.agreement.id)
        before[one.agreement.id] = one
        if earlier is None:
            continue
        where = earlier.file
        line = earlier.source.line_of(("version",))
        if line:
            where += f":{line}"
        if earlier.agreement.version == one.agreement.version:
            mistakes.append(
                one.source.mistake(("version",), f"{one.name} is also in {where}", "an amendment is a new version")
            )
        elif earlier.agreement.valid_from_ms >= one.agreement.valid_from_ms:
            mistakes.append(
                one.source.mistake(
                    ("valid_from",),
                    f"is not after that of version {earlier.agreement.version} in {where}",
                    "each version begins after the one before",
                )
            )
    return mistakes
