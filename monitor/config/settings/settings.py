"""Settings of the process: one YAML file, and environment variables that come before it.

Promises stand in agreements, not here. The variable of a setting is its name in capitals after
``SLA_MONITOR_``, with its section where it has one: ``SLA_MONITOR_BOOTSTRAP``, ``SLA_MONITOR_TOPICS_TICKETS``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from pydantic import AfterValidator, Field, PrivateAttr, SecretStr

from monitor.config.reading.quantities import Duration, PositiveDuration, Size, duration_text
from monitor.config.reading.shape import Shape, Text, did_you_mean, validate, wrong
from monitor.config.reading.variables import NOTHING_FILLED, Filled, fill_variables, variables_of
from monitor.config.reading.yaml_file import Plain, YamlDocument, load_documents, path_text
from monitor.config.receivers.base import ReceiverName
from monitor.config.receivers.registry import Receiver
from monitor.config.settings.pages import PagesSettings
from monitor.config.settings.reports import ReportSettings
from monitor.config.settings.security import SecuritySettings
from monitor.config.settings.sources import Count, SourceSettings, Topic, resolve_sources
from monitor.config.settings.web import WebSettings
from monitor.core.time.units import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.core.windows.rest import MOST_SERIES
from monitor.errors import ConfigError, Mistake
from monitor.wire.deadletters import LARGEST_VALUE, MAX_VALUE
from monitor.wire.mapping_rules import MOST_EVENTS, MOST_REPETITIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX: Final = "SLA_MONITOR_"
FILE_VARIABLE: Final = "SLA_MONITOR_SETTINGS"
"""Names the settings file where the command line names none."""

_LONGEST_NUMBER: Final = 17


def _servers(value: str) -> str:
    for server in value.split(","):
        host, colon, port = server.strip().rpartition(":")
        if not colon or not host or not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 - ports
            raise wrong(f"is no broker address: {server.strip()!r}", "write host:9092, several with commas")
    return ",".join(server.strip() for server in value.split(","))


def _letter_size(value: int) -> int:
    if value > LARGEST_VALUE:
        raise wrong(f"must be at most {LARGEST_VALUE >> 20} MiB, not {value:,} bytes", "longer records are cut")
    return value


Servers = Annotated[Text, AfterValidator(_servers)]
LetterSize = Annotated[Size, AfterValidator(_letter_size)]


class TopicSettings(Shape):
    """Names of the topics, and the shape in which ``topics create`` makes them."""

    tickets: Topic = Field(default="tickets", description="Ticket events, key ticket id.")
    calls: Topic = Field(default="calls", description="Call events, key call id.")
    outages: Topic = Field(default="outages", description="Outage and maintenance events, key outage id.")
    leads: Topic = Field(default="leads", description="Lead events, key lead id.")
    agreements: Topic = Field(default="agreements", description="Published agreements, compacted.")
    partials: Topic = Field(default="partials", description="Panes of each source partition, compacted.")
    alerts: Topic = Field(default="alerts", description="What is announced of clocks and objectives.")
    status: Topic = Field(default="status", description="The newest figures and verdicts of each series, compacted.")
    statements: Topic = Field(default="statements", description="Results of closed periods, compacted.")
    reports: Topic = Field(default="reports", description="Announced reports of finished periods, compacted.")
    deliveries: Topic = Field(default="deliveries", description="What became of each notice to on-call.")
    responses: Topic = Field(default="responses", description="Acknowledgements and silences, compacted.")
    markers: Topic = Field(
        default="markers",
        description="How far foreign topics have been read, and a clock that is not real time; compacted.",
    )
    dead_letters: Topic = Field(default="dead-letters", description="Records that are no events, with the reason.")
    partitions: Count = Field(
        default=8, description="Partitions of each topic but agreements, responses and markers, which have one."
    )
    replication: Count = Field(default=1, description="Copies of each partition: 3 in production.")
    event_retention_ms: PositiveDuration = Field(
        default=604_800_000, alias="event_retention", description="How long Kafka keeps events."
    )
    alert_retention_ms: PositiveDuration = Field(
        default=7_776_000_000, alias="alert_retention", description="How long Kafka keeps alerts and dead letters."
    )


class Settings(Shape):
    """All settings. Durations are milliseconds here and written with units in files: ``45s``."""

    app_id: Topic = Field(default="sla-monitor", description="Consumer group, and prefix of changelogs.")
    bootstrap: Servers = Field(default="127.0.0.1:9092", description="Kafka brokers, host:port, several with commas.")
    instance_id: Text | None = Field(
        default=None, description="Static membership: one name for each worker, the same after its restart."
    )
    session_timeout_ms: PositiveDuration = Field(
        default=15_000, alias="session_timeout", description="A worker that is silent this long loses its partitions."
    )
    check_crcs: bool = Field(default=True, description="Check the checksums of what is read from Kafka.")
    max_batch_records: Count = Field(default=3_000, description="Most records in one batch of one partition.")
    max_batch_bytes: Size = Field(default=4 << 20, description="Most bytes in one batch of one partition.")
    max_event_bytes: Size = Field(default=1 << 20, description="A longer event becomes a dead letter.")
    max_dead_letter_bytes: LetterSize = Field(
        default=MAX_VALUE, description="Original bytes that a dead letter keeps; what is cut cannot be replayed."
    )
    allowed_lateness_ms: Duration = Field(
        default=MINUTE_MS, alias="allowed_lateness", description="How far the watermark stays behind the newest event."
    )
    max_events_per_record: Annotated[int, Field(ge=1, le=MOST_REPETITIONS)] = Field(
        default=MOST_EVENTS, description="A record of a mapped topic that would make more events becomes a dead letter."
    )
    max_ahead_ms: PositiveDuration = Field(
        default=HOUR_MS, alias="max_ahead", description="An event further in the future becomes a dead letter."
    )
    backfill_age_ms: PositiveDuration = Field(
        default=900_000, alias="backfill_age", description="Older announcements are marked backfill: they page nobody."
    )
    longest_hold_ms: PositiveDuration = Field(
        default=1_800_000,
        alias="longest_hold",
        description="How long a foreign topic that does not get further may hold deadlines back.",
    )
    subject_retention_ms: PositiveDuration = Field(
        default=2_592_000_000,
        alias="subject_retention",
        description="How long finished subjects are kept to be reopened.",
    )
    evaluate_interval_ms: PositiveDuration = Field(
        default=1_000, alias="evaluate_interval", description="At most this often figures and objectives are evaluated."
    )
    max_series: Count = Field(
        default=MOST_SERIES, description="Series that a measure shows one by one; the rest is counted as one, other."
    )
    deliver_for_ms: PositiveDuration = Field(
        default=DAY_MS, alias="deliver_for", description="How long a notice is tried again before it expires."
    )
    native: Literal["auto", "off", "required"] = Field(
        default="auto",
        description="The native fast path: taken if its package is installed, never, or the worker does not start.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="What is logged.")
    topics: TopicSettings = TopicSettings()
    security: SecuritySettings = SecuritySettings()
    web: WebSettings = WebSettings()
    pages: PagesSettings = PagesSettings()
    reports: ReportSettings = ReportSettings()
    receivers: dict[ReceiverName, Receiver] = Field(default={}, description="Where notices are sent, by name.")
    sources: list[SourceSettings] = Field(
        default_factory=list,
        description="Topics of others: each {topic: …, mapping: FILE}, and partitions if not as many as ours.",
    )

    _origins: dict[tuple[str, ...], str] = PrivateAttr(default_factory=dict)
    _filled: Filled = PrivateAttr(default_factory=dict)


class Setting(NamedTuple):
    """One leaf of the settings: its path in the file, its variable, its line of help, and its value.

    Lists have no variable: they stand in the file.
    """

    path: tuple[str, ...]
    variable: str
    description: str
    value: object
    is_duration: bool

    @property
    def name(self) -> str:
        """Return the path as people write it: ``topics.tickets``."""
        return path_text(self.path)


def catalogue() -> tuple[Setting, ...]:
    """Return every setting that a variable can set with its default, in the order of the file: all but receivers."""
    return tuple(_leaves(Settings(), ()))


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings of a file (None: the one that ``SLA_MONITOR_SETTINGS`` names, or none) and the environment.

    Raises:
        ConfigError: all mistakes of both.
    """
    mistakes: list[Mistake] = []
    if path is None and environ.get(FILE_VARIABLE):
        path = Path(environ[FILE_VARIABLE])
    documents = [] if path is None else load_documents(path, mistakes)
    if len(documents) > 1:
        mistakes.append(documents[1].mistake((), "is a second document", "settings are one document"))
    document = documents[0] if documents else YamlDocument("settings", {})
    named = variables_of(document.data)
    variables = _variables({name: value for name, value in environ.items() if name not in named}, mistakes)
    found: list[Mistake] = []
    data, filled = fill_variables(document, environ, found)
    unset = {one.path for one in found}
    for setting, value in variables:
        data = _with(data, setting.path, value)
    violations: list[Mistake] = []
    settings = validate(Settings, replace(document, data=data), violations, filled)
    found.extend(one for one in violations if one.path not in unset)
    by_path = {setting.name: setting.variable for setting, _ in variables}
    mistakes.extend(
        replace(one, file="environment", line=None, path=by_path[one.path]) if one.path in by_path else one
        for one in found
    )
    if settings is not None:
        resolved = resolve_sources(settings.sources, own_topics(settings), document, mistakes)
        settings = settings.model_copy(update={"sources": resolved})
    if settings is None or mistakes:
        raise ConfigError(mistakes)
    origins = {
        leaf.path: f"{document.file}:{document.line_of(leaf.path)}"
        for leaf in _leaves(settings, ())
        if document.has(leaf.path)
    }
    origins.update((setting.path, setting.variable) for setting, _ in variables)
    settings._origins.update(origins)  # noqa: SLF001 - filled by its own module
    settings._filled = filled  # noqa: SLF001 - filled by its own module
    return settings


def own_topics(settings: Settings) -> frozenset[str]:
    """Return the names of the topics that are the monitor's own."""
    return frozenset(value for value in dict(settings.topics).values() if isinstance(value, str))


class Shown(NamedTuple):
    """A setting as people see it: values as in a file, variables of receivers as they are named, no secrets.

    ``origin`` is ``default``, ``file:line`` or a variable; ``variable`` is empty where none can set it.
    """

    name: str
    value: str
    origin: str
    variable: str
    description: str


def shown(settings: Settings) -> list[Shown]:
    """Return every setting that there is, also those of receivers, as people see them."""
    origins, filled = settings._origins, settings._filled  # noqa: SLF001 - of its own module
    return [
        Shown(
            leaf.name,
            _shown_value(leaf, leaf.value, filled, leaf.path),
            origins.get(leaf.path, "default"),
            leaf.variable,
            leaf.description,
        )
        for leaf in _leaves(settings, ())
    ]


def effective(settings: Settings) -> list[tuple[str, str, str]]:
    """Return (name, value, origin) of every setting, as people see them."""
    return [(one.name, one.value, one.origin) for one in shown(settings)]


def _leaves(section: Shape, path: tuple[str, ...]) -> Iterator[Setting]:
    for name, info in type(section).model_fields.items():
        value: Any = getattr(section, name)
        here = (*path, info.alias or name)
        if isinstance(value, Shape):
            yield from _leaves(value, here)
        elif here == ("receivers",):
            for one in value:
                yield from _leaves(value[one], (*here, one))
        else:
            variable = "" if isinstance(value, list) or here[0] == "receivers" else PREFIX + "_".join(here).upper()
            yield Setting(here, variable, info.description or "", value, name.endswith("_ms"))


def _variables(environ: Mapping[str, str], mistakes: list[Mistake]) -> list[tuple[Setting, Plain]]:
    """Return the values that the environment sets; an empty variable sets nothing."""
    known = {setting.variable: setting for setting in catalogue() if setting.variable}
    lists = {PREFIX + "_".join(setting.path).upper() for setting in catalogue() if not setting.variable}
    found: list[tuple[Setting, Plain]] = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable == FILE_VARIABLE or not environ[variable]:
            continue
        setting = known.get(variable)
        if variable in lists:
            message, hint = "is a list, which no variable can hold", "write it into the settings file"
            mistakes.append(Mistake(file="environment", line=None, path=variable, message=message, hint=hint))
        elif setting is None:
            hint = did_you_mean(variable, known)
            mistakes.append(Mistake(file="environment", line=None, path=variable, message="unknown setting", hint=hint))
        else:
            found.append((setting, _typed(environ[variable], setting.value)))
    return found


def _typed(text: str, default: object) -> Plain:
    """Return the text as the value that a file would hold: variables have no types."""
    if isinstance(default, bool) and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if isinstance(default, int) and text.isdecimal() and len(text) <= _LONGEST_NUMBER:
        return int(text)
    return text


def _with(data: Plain, path: tuple[str, ...], value: Plain) -> Plain:
    """Return the data with the value at a path; a value that is no map stays, for the shape to refuse."""
    if not path:
        return value
    if data is None:
        data = {}
    if not isinstance(data, dict):
        return data
    return {**data, path[0]: _with(data.get(path[0]), path[1:], value)}


def shown_value(leaf: Setting) -> str:
    """Return the value of a setting as it is written in a file; a secret is not shown."""
    return _shown_value(leaf, leaf.value, NOTHING_FILLED, leaf.path)


def _shown_value(leaf: Setting, value: object, filled: Filled, path: tuple[str | int, ...]) -> str:
    """Return a value as it is written in a file; for one from a variable only the variable's name."""
    shown = "" if value is None else str(value)
    if path in filled and not isinstance(value, SecretStr):
        shown = filled[path]
    elif isinstance(value, bool):
        shown = shown.lower()
    elif isinstance(value, int) and leaf.is_duration:
        shown = duration_text(value)
    elif isinstance(value, list):
        shown = ", ".join(_shown_value(leaf, one, filled, (*path, place)) for place, one in enumerate(value))
    elif isinstance(value, dict):
        shown = ", ".join(f"{key}={_shown_value(leaf, one, filled, (*path, key))}" for key, one in value.items())
    return shown
