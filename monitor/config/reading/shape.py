"""The shape of files: pydantic models against documents; each difference becomes a `Mistake` with a hint."""

from __future__ import annotations

import difflib
import types
import typing
from typing import Annotated, Any, ClassVar, Final, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from monitor.config.reading.secrets import Secret, holds_secrets
from monitor.config.reading.variables import NOTHING_FILLED, named_in, written_at
from monitor.wire.fields import has_control

if typing.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.config.reading.variables import Filled
    from monitor.config.reading.yaml_file import YamlDocument
    from monitor.errors import Mistake

__all__ = ["Secret", "Shape", "Text", "Violation", "check", "did_you_mean", "validate", "wrong"]

T = TypeVar("T", bound=BaseModel)


class Shape(BaseModel):
    """Base of all that is read from a file: unknown keys are refused, nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    quotes_values: ClassVar[bool] = True
    """Whether mistakes quote what was written. False where a password may stand in the wrong line."""


def wrong(message: str, hint: str = "") -> PydanticCustomError:
    """Return the error for a validator to raise: the mistake and its remedy."""
    return PydanticCustomError("wrong", "{message}", {"message": message, "hint": hint})


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return a hint: the nearest known word, or all of them where none is near and they are few."""
    words = sorted(known)
    lower = {one.lower(): one for one in reversed(words)}
    near = difflib.get_close_matches(str(word).lower(), lower, n=1)
    if near:
        return f"did you mean {lower[near[0]]!r}?"
    if not words:
        return ""
    few = 24
    return "known: " + ", ".join(words[:few]) + (", …" if len(words) > few else "")


def _text(value: object) -> object:
    """Accept whole numbers as texts (a customer 42); others lose digits on the way (1.10) and need quotes."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, bool | float):
        raise wrong(f"must be text, not {_kind(value)}", f"put it in quotes: {str(value).lower()!r}")
    if isinstance(value, str):
        if not value.strip():
            raise wrong("is empty")
        if has_control(value) or any("\ud800" <= character <= "\udfff" for character in value):
            raise wrong("holds control characters")
    return value


Text = Annotated[str, BeforeValidator(_text)]
"""A text that is not empty and holds no control characters."""


def validate(
    model: type[T], document: YamlDocument, mistakes: list[Mistake], filled: Filled = NOTHING_FILLED
) -> T | None:
    """Return the document as the model, or None after adding all that is wrong with it to ``mistakes``.

    ``filled`` are the texts that variables were put into: mistakes never show their values.
    """
    shape, violations = check(model, document, filled)
    mistakes.extend(violation.mistake for violation in violations)
    return shape


class Violation(NamedTuple):
    """One part of a document that is not as the model says: its path, and the message for its author."""

    path: tuple[str | int, ...]
    mistake: Mistake


def check(model: type[T], document: YamlDocument, filled: Filled = NOTHING_FILLED) -> tuple[T | None, list[Violation]]:
    """Return the document as the model, or None and every violation."""
    try:
        return model.model_validate(document.data), []
    except ValidationError as errors:
        return None, _violations(model, document, errors.errors(include_url=False), filled)


def _violations(
    model: type[BaseModel], document: YamlDocument, errors: Iterable[ErrorDetails], filled: Filled
) -> list[Violation]:
    """Return the violations; a value that may be of several types has one, not one for each of them."""
    found: list[Violation] = []
    of_types: set[tuple[str | int, ...]] = set()
    for error in errors:
        one = _violation(model, document, error, filled)
        if error["type"].endswith("_type"):
            if one.path in of_types:
                continue
            of_types.add(one.path)
        found.append(one)
    return found


_MESSAGES: Final = {
    "missing": "is missing",
    "string_type": "must be text, not {kind}",
    "int_type": "must be a whole number, not {kind}",
    "float_type": "must be a number, not {kind}",
    "bool_type": "must be true or false, not {kind}",
    "list_type": "must be a list, not {kind}",
    "dict_type": "must be a map of keys and values, not {kind}",
    "model_type": "must be a map of keys and values, not {kind}",
    "model_attributes_type": "must be a map of keys and values, not {kind}",
    "literal_error": "must be {expected}, not {input!r}",
    "greater_than": "must be greater than {gt}, not {input}",
    "greater_than_equal": "must be at least {ge}, not {input}",
    "less_than_equal": "must be at most {le}, not {input}",
    "too_short": "must have at least {min_length} item(s)",
}


def _violation(model: type[BaseModel], document: YamlDocument, error: ErrorDetails, filled: Filled) -> Violation:
    kind, context = error["type"], dict(error.get("ctx", {}))
    # Names of union members and "[key]" marks are pydantic's, not the author's.
    path: list[str | int] = []
    for part in error["loc"]:
        if document.has([*path, part]) or (kind == "missing" and part == error["loc"][-1]):
            path.append(part)
    if kind.startswith("union_tag_"):
        path.append(str(context["discriminator"]).strip("'"))
        written = written_at(path, filled)
        tags = str(context["expected_tags"]).replace("'", "").split(", ") if "tag" in context else ()
        message = f"is unknown: {written or context['tag']!r}" if tags else "is missing"
        return Violation(tuple(path), document.mistake(path, message, did_you_mean(context.get("tag"), tags)))
    if kind == "extra_forbidden":
        known = _known_keys(model, error["loc"][:-1])
        return Violation(tuple(path), document.mistake(path, "unknown key", did_you_mean(error["loc"][-1], known)))
    is_secret = _is_secret(model, error["loc"])
    written = written_at(path, filled)
    hint = str(context.pop("hint", ""))
    if kind == "literal_error":
        expected = [part.strip(" '") for part in str(context["expected"]).replace(" or ", ",").split(",")]
        near = did_you_mean(error["input"], expected)
        hint = near if near.startswith("did") else ""
    template = _MESSAGES.get(kind)
    message = error["msg"].removeprefix("Value error, ")
    if template is not None:
        value = _Unquoted(written) if is_secret or written is not None else error["input"]
        message = template.format(**context, kind=_kind(value, error["input"]), input=value)
    elif written is not None and not is_secret:  # validators of secrets never repeat them, others may
        message, hint = (
            f"does not fit with what {named_in(written)} holds",
            "the value is not shown: it may be a secret",
        )
    if kind.endswith("_type") and error["input"] is None:
        message = "is empty"
    return Violation(tuple(path), document.mistake(path, message, hint))


class _Unquoted:
    """Stands for a value in messages that do not show it: by the text that was written in the file, or by none."""

    def __init__(self, written: str | None) -> None:
        self._text = "this" if written is None else f"what {named_in(written)} holds"

    def __repr__(self) -> str:
        return self._text

    def __format__(self, _: str) -> str:
        return self._text


def _is_secret(model: type[BaseModel], location: Sequence[str | int]) -> bool:
    """Return whether the value at a location may be shown to nobody: a secret, or a part that holds or may hold one."""
    found: list[Any] = [model]
    for part in location:
        if any(not shape.quotes_values for one in found for shape in _shapes(one) if issubclass(shape, Shape)):
            return True
        found = [inner for annotation in found for inner in _step(annotation, part)] or found
    return any(holds_secrets(one) for one in found)


def _kind(value: object, given: object = None) -> str:
    """Return a description that quotes a value; ``given`` is the value that an unquoted one stands for."""
    if isinstance(value, _Unquoted):
        names = {dict: "a map", list: "a list", type(None): "nothing", bool: "a truth value", str: "a text"}
        return names.get(type(given), "a number") if str(value) == "this" else str(value)
    if isinstance(value, bool):
        return str(value).lower()
    names = {dict: "a map", list: "a list", type(None): "nothing"}
    return names.get(type(value), f"the text {value!r}" if isinstance(value, str) else f"the number {value!r}")


def _known_keys(model: type[BaseModel], location: Sequence[str | int]) -> set[str]:
    """Return the keys that the model allows at a location as pydantic tells it; names of its own are passed over."""
    found: list[Any] = [model]
    for part in location:
        found = [inner for annotation in found for inner in _step(annotation, part)] or found
    return {key for one in found for shape in _shapes(one) for key in _fields(shape)}


def _fields(shape: type[BaseModel]) -> dict[str, Any]:
    return {info.alias or name: info.annotation for name, info in shape.model_fields.items()}


def _step(annotation: Any, part: str | int) -> list[Any]:  # noqa: ANN401 - annotations have no common type
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _step(arguments[0], part)
    if origin in (Union, types.UnionType):
        tagged = [one for one in arguments if part in _tags(one)]
        return tagged or [inner for one in arguments for inner in _step(one, part)]
    if origin in (list, tuple) and arguments and isinstance(part, int):
        return [arguments[0]]
    if isinstance(origin, type) and issubclass(origin, typing.Mapping) and arguments:
        return [arguments[1]]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        inner = _fields(annotation).get(str(part))
        return [] if inner is None else [inner]
    return []


def _tags(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401 - annotations have no common type
    """Return the values of ``kind`` by which the members of a union differ."""
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return get_args(_fields(annotation).get("kind")) if is_model else ()


def _shapes(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - annotations have no common type
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Annotated, Union, types.UnionType):
        return [shape for one in get_args(annotation) for shape in _shapes(one)]
    return []
