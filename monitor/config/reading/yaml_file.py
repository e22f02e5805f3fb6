"""YAML files with their lines: every mistake found in one is told with its file, line and path.

The YAML read here is the plain part of it, so that a document means the same as JSON (it travels over
Kafka so): texts, numbers, true/false, null, lists, and maps with text keys. Dates and times of day stay
texts (``08:00`` is no sexagesimal number), and so do ``no``, ``on`` and ``+49 30``. Keys given twice,
tags and anchors that contain themselves are mistakes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import yaml

from monitor.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Plain", "YamlDocument", "load_documents", "parse_documents", "path_text"]

MAX_FILE_BYTES: Final = 4 << 20
MAX_VALUES: Final = 200_000
"""More values than this are no file that a person wrote but aliases that multiply."""

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]

_TAG: Final = "tag:yaml.org,2002:"
# At most 17 digits: more are no quantity, and JSON readers would round them.
_RESOLVERS: Final = (
    ("null", r"^(?:~|null|Null|NULL|)$", ("~", "n", "N", "")),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", ("t", "T", "f", "F")),
    ("int", r"^-?(?:0|[1-9][0-9]{0,16})$", tuple("-0123456789")),
    ("float", r"^-?(?:0|[1-9][0-9]{0,16})\.[0-9]{1,17}$", tuple("-0123456789")),
)
_PATTERNS: Final = {kind: re.compile(pattern) for kind, pattern, _ in _RESOLVERS}
_SCALARS: Final[dict[str, Callable[[str], Plain]]] = {
    "str": str,
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
}
# Names of anchors and tags in the words of PyYAML, not its tokens in angle brackets: a password without quotes is one.
_NAMED: Final = re.compile(r" '(?![<\\])[^' ]{2,}'")
_QUOTES_HINT: Final = "a text that starts with one of > < = * & % @ ! { [ or holds ': ' needs quotes"


class _PlainLoader(yaml.SafeLoader):
    """Composes nodes and knows no types but those of JSON."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own shape


for _kind, _pattern, _first in _RESOLVERS:
    # PyYAML looks the resolvers up by the first character of a scalar.
    _PlainLoader.add_implicit_resolver(_TAG + _kind, re.compile(_pattern), list(_first))


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """One document: its plain data, and where each part of it stands.

    Attributes:
        file: the name that mistakes are told with.
        data: the value that `json.loads` would have returned, had the document been JSON.
    """

    file: str
    data: Plain
    _node: yaml.Node | None = field(default=None, repr=False, compare=False)

    def line_of(self, path: Sequence[str | int]) -> int:
        """Return the line (from 1) of the key or item at a path, or of its nearest parent that exists.

        Parts of a path that name nothing in the document are passed over. 0: the document is not from a file.
        """
        node = self._node
        if node is None:
            return 0
        line: int = node.start_mark.line
        for part in path:
            for key, key_line, child in _children(node):
                if key == part or str(key) == part:
                    line, node = key_line, child
                    break
        return line + 1

    def has(self, path: Sequence[str | int]) -> bool:
        """Return whether there is something at a path."""
        data: object = self.data
        for part in path:
            if isinstance(data, dict) and part in data:
                data = data[str(part)]
            elif isinstance(data, list) and isinstance(part, int) and part < len(data):
                data = data[part]
            else:
                return False
        return True

    def mistake(self, path: Sequence[str | int], message: str, hint: str = "") -> Mistake:
        """Return a mistake at a path of this document."""
        return Mistake(
            file=self.file, line=self.line_of(path) or None, path=path_text(path), message=message, hint=hint
        )


def path_text(path: Iterable[str | int]) -> str:
    """Return a path as people read it: ``clocks[0].targets.P1``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def load_documents(path: Path, mistakes: list[Mistake] | None = None) -> list[YamlDocument]:
    """Read the documents of one file; empty ones are passed over.

    Mistakes are added to ``mistakes``; the documents before them are returned.

    Raises:
        ConfigError: there are mistakes, and no list to add them to.
    """
    found: list[Mistake] = []
    try:
        raw = path.read_bytes()
    except OSError as error:
        raw = b""
        found.append(Mistake(file=str(path), line=None, path="", message=f"cannot be read: {error.strerror}"))
    documents = parse_documents(raw, str(path), found)
    if mistakes is not None:
        mistakes.extend(found)
    elif found:
        raise ConfigError(found)
    return documents


def parse_documents(raw: bytes, file: str, mistakes: list[Mistake]) -> list[YamlDocument]:
    """Return the documents in the bytes of a file, as `load_documents` does."""
    documents: list[YamlDocument] = []
    if len(raw) > MAX_FILE_BYTES:
        mistakes.append(Mistake(file=file, line=None, path="", message=f"is larger than {MAX_FILE_BYTES >> 20} MiB"))
        return documents
    try:
        loader = _PlainLoader(raw.decode("utf-8-sig"))
        while loader.check_node():
            node = loader.get_node()
            data = None if node is None else _Reader(file, mistakes).read(node)
            if data is not None:
                documents.append(YamlDocument(file, data, node))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        mistakes.append(Mistake(file=file, line=line, path="", message="is not UTF-8", hint="save the file as UTF-8"))
    except yaml.YAMLError as error:
        mistakes.append(_syntax_mistake(file, error))
    except RecursionError:
        mistakes.append(Mistake(file=file, line=None, path="", message="is nested too deeply"))
    return documents


class _Reader:
    """Turns the nodes of one document into plain data, and reports each node that is none."""

    def __init__(self, file: str, mistakes: list[Mistake]) -> None:
        self._file = file
        self._mistakes = mistakes
        self._values = 0
        self._open: set[int] = set()

    def read(self, node: yaml.Node, path: tuple[str | int, ...] = ()) -> Plain:
        self._values += 1
        if self._values > MAX_VALUES:
            raise yaml.MarkedYAMLError(problem="aliases multiply to too many values", problem_mark=node.start_mark)
        if id(node) in self._open:
            raise yaml.MarkedYAMLError(problem="an anchor contains itself", problem_mark=node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self._open.add(id(node))
        try:
            return self._list(node, path) if isinstance(node, yaml.SequenceNode) else self._map(node, path)
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: yaml.ScalarNode, path: tuple[str | int, ...]) -> Plain:
        kind = node.tag.removeprefix(_TAG)
        convert = _SCALARS.get(kind)
        if convert is None:
            # A tag of YAML's own is named; what else begins with an exclamation mark may be a password without quotes.
            tag = f"the tag {node.tag}" if node.tag.startswith(_TAG) else "a tag"
            self._wrong(node, path, f"{tag} is not allowed", f"leave it out: plain values only; {_QUOTES_HINT}")
            return None
        if kind != "str" and not _PATTERNS[kind].match(node.value):
            # Only with an explicit tag: `!!int x`.
            self._wrong(node, path, f"is no {kind}", "leave the tag out")
            return None
        return convert(node.value)

    def _list(self, node: yaml.SequenceNode, path: tuple[str | int, ...]) -> Plain:
        if node.tag != _TAG + "seq":
            self._wrong(node, path, f"the tag {node.tag} is not allowed", "leave it out: plain values only")
        return [self.read(item, (*path, number)) for number, item in enumerate(node.value)]

    def _map(self, node: yaml.Node, path: tuple[str | int, ...]) -> Plain:
        if node.tag != _TAG + "map":
            self._wrong(node, path, f"the tag {node.tag} is not allowed", "leave it out: plain values only")
        data: dict[str, Plain] = {}
        lines: dict[str, int] = {}
        for key_node, child in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._wrong(key_node, path, "a key must be a single text", _QUOTES_HINT)
                continue
            key: str = key_node.value
            if key in data:
                self._wrong(
                    key_node,
                    (*path, key),
                    f"is given twice, first in line {lines[key]}",
                    "keep one of the two",
                )
                continue
            lines[key] = key_node.start_mark.line + 1
            data[key] = self.read(child, (*path, key))
        return data

    def _wrong(self, node: yaml.Node, path: tuple[str | int, ...], message: str, hint: str = "") -> None:
        self._mistakes.append(
            Mistake(
                file=self._file,
                line=node.start_mark.line + 1,
                path=path_text(path),
                message=message,
                hint=hint,
            )
        )


def _children(node: yaml.Node) -> Iterator[tuple[str | int, int, yaml.Node]]:
    if isinstance(node, yaml.SequenceNode):
        for number, child in enumerate(node.value):
            yield number, child.start_mark.line, child
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, key.start_mark.line, child


def _syntax_mistake(file: str, error: yaml.YAMLError) -> Mistake:
    line, problem, hint = None, str(error), _QUOTES_HINT
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        problem = _NAMED.sub("", " ".join(part for part in (error.context, error.problem) if part))
        if type(error) is yaml.MarkedYAMLError:  # our own: well written, but not plain
            hint = "write the values out"
    if "'\\t'" in problem:
        hint = "indent with spaces"
    elif "<stream end>" in problem:
        hint = "a bracket or quote is not closed"
    return Mistake(file=file, line=line, path="", message=f"is not YAML: {problem}", hint=hint)
