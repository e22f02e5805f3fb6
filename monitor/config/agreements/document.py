"""One document of an agreement file: its text, its place and its agreement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitor.config.reading.yaml_file import YamlDocument
from monitor.errors import Mistake

if TYPE_CHECKING:
    from monitor.core.agreements.agreement import Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementDocument:
    """One version of one agreement: as it was written, and as the core uses it.

    ``warnings`` do not keep it from being used.
    """

    file: str
    document: dict[str, Any]
    agreement: Agreement
    warnings: tuple[Mistake, ...] = ()
    source: YamlDocument = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Return its name for people: ``acme-it-desk version 2``."""
        return f"{self.agreement.id} version {self.agreement.version}"
