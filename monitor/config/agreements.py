"""Agreements from files and from documents that came over Kafka: read, checked together, put into a `Book`.

A document is the plain data of one version of one agreement, as its YAML says it; `monitor.config.agreement_shape`
is its format. It is what is published, compared and stamped.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import holidays
import orjson

from monitor.config.agreement_build import build
from monitor.config.agreement_shape import AgreementShape
from monitor.config.shape import validate
from monitor.config.yaml_file import YamlDocument, load_documents
from monitor.core.agreement import Book
from monitor.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.core.agreement import Agreement

FORMAT: Final = 1
"""Raised when the same document comes to mean something else: rows are then folded again."""

_SUFFIXES: Final = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementDocument:
    """One version of one agreement: as it was written, and what it means.

    ``warnings`` do not keep it from being used.
    """

    file: str
    document: dict[str, Any]
    agreement: Agreement
    warnings: tuple[Mistake, ...] = ()
    source: YamlDocument = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Return what people call it: ``acme-it-desk version 2``."""
        return f"{self.agreement.id} version {self.agreement.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was found in files: the documents without mistakes, all mistakes, and all warnings."""

    documents: tuple[AgreementDocument, ...]
    mistakes: tuple[Mistake, ...]
    warnings: tuple[Mistake, ...]


def check_agreements(paths: Path | Sequence[Path]) -> Check:
    """Read the files, and the ``*.yaml`` and ``*.yml`` of the folders, without raising for what is wrong in them."""
    mistakes: list[Mistake] = []
    warnings: list[Mistake] = []
    documents: list[AgreementDocument] = []
    for path in _files([paths] if isinstance(paths, Path) else paths, mistakes):
        for source in load_documents(path, mistakes):
            document = _parse(source, mistakes, warnings)
            if document is not None:
                documents.append(document)
    mistakes.extend(_version_mistakes(documents))
    return Check(documents=tuple(documents), mistakes=tuple(mistakes), warnings=tuple(warnings))


def read_documents(paths: Path | Sequence[Path]) -> list[AgreementDocument]:
    """Return all documents of files and folders.

    Raises:
        ConfigError: all mistakes of all files.
    """
    check = check_agreements(paths)
    if check.mistakes:
        raise ConfigError(list(check.mistakes))
    return list(check.documents)


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
        ConfigError: versions that contradict each other: a number used twice, or one that begins too early.
    """
    ordered = sorted(documents, key=lambda one: (one.agreement.id, one.agreement.version))
    mistakes = _version_mistakes(ordered)
    if mistakes:
        raise ConfigError(mistakes)
    return Book(agreements=tuple(one.agreement for one in ordered), stamp=_stamp(ordered))


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
    before = len(mistakes)
    shape = validate(AgreementShape, source, mistakes)
    if shape is None:
        return None
    told: list[Mistake] = []
    agreement = build(shape, source, mistakes, told)
    warnings.extend(told)
    if agreement is None or len(mistakes) > before or not isinstance(source.data, dict):
        return None
    return AgreementDocument(
        file=source.file, document=source.data, agreement=agreement, warnings=tuple(told), source=source
    )


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
