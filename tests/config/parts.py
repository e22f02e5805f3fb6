"""The parts of the agreement format, and those that files use: names of keys by their path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from monitor.config.agreements.checking import read_documents

if TYPE_CHECKING:
    from pathlib import Path


def parts_of(model: type[BaseModel], prefix: str = "") -> set[str]:
    """Return the path of every key that the model knows; what maps and lists hold follows without a number or name."""
    found: set[str] = set()
    for name, info in model.model_fields.items():
        key = info.alias or name
        found.add(prefix + key)
        for shape in shapes(info.annotation):
            found |= parts_of(shape, f"{prefix}{key}.")
    return found


def shapes(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [shape for one in get_args(annotation) for shape in shapes(one)]


def parts_used(folder: Path) -> set[str]:
    """Return the paths of the keys that the agreements of a folder set."""
    from monitor.config.agreements.agreement_shape import AgreementShape  # noqa: PLC0415 - its fields lead through the data

    used: set[str] = set()
    for document in read_documents(folder):
        used |= used_in(AgreementShape, document.document, "")
    return used


def used_in(model: type[BaseModel], data: Any, prefix: str) -> set[str]:
    if isinstance(data, list):
        return {part for one in data for part in used_in(model, one, prefix)}
    if not isinstance(data, dict):
        return set()
    known = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
    if not known.keys() & data.keys():  # a map of such things by name
        return {part for one in data.values() for part in used_in(model, one, prefix)}
    used = {prefix + name for name in data if name in known}
    for name in data:
        for shape in shapes(known.get(name)):
            used |= used_in(shape, data[name], f"{prefix}{name}.")
    return used
