"""Settings: defaults, the file, the environment before it, and what is told of mistakes in either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.config.settings.settings import Settings, catalogue, effective, load_settings
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

DURATION_HINT = "write a number and a unit: 90s, 15m, 4h, 2d (d is 24 h of counted time), 1h30m"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.yaml"


def mistakes_of(path: Path | None, environ: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load_settings(path, environ)
    return [str(one).replace(f"{path}:", "") for one in refused.value.mistakes]


def test_without_anything_the_defaults_hold() -> None:
    settings = load_settings(None, {"HOME": "/root", "PATH": "/bin"})

    assert settings == Settings()
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 6066)
    assert (settings.max_event_bytes, settings.session_timeout_ms) == (1 << 20, 15_000)
    assert all(origin == "default" for _, _, origin in effective(settings))


def test_the_file_comes_before_the_defaults_and_the_environment_before_the_file(file: Path) -> None:
    file.write_text("app_id: desk\nsession_timeout: 30s\ntopics:\n  tickets: tix\n  partitions: 16\n")
    environ = {
        "SLA_MONITOR_SESSION_TIMEOUT": "10s",
        "SLA_MONITOR_TOPICS_PARTITIONS": "4",
        "SLA_MONITOR_WEB_PORT": "0",
        "SLA_MONITOR_CHECK_CRCS": "False",
        "SLA_MONITOR_MAX_BATCH_BYTES": "1 MiB",
        "SLA_MONITOR_INSTANCE_ID": "7",
        "SLA_MONITOR_LOG_LEVEL": "",
    }

    settings = load_settings(file, environ)

    assert (settings.app_id, settings.session_timeout_ms) == ("desk", 10_000)
    assert (settings.topics.tickets, settings.topics.calls, settings.topics.partitions) == ("tix", "calls", 4)
    assert (settings.web.port, settings.check_crcs, settings.max_batch_bytes) == (0, False, 1 << 20)
    assert settings.instance_id == "7"
    assert settings.log_level == "info", "an empty variable sets nothing"
    told = {name: (value, origin) for name, value, origin in effective(settings)}
    assert told["app_id"] == ("desk", f"{file}:1")
    assert told["topics.tickets"] == ("tix", f"{file}:4")
    assert told["topics.partitions"] == ("4", "SLA_MONITOR_TOPICS_PARTITIONS")
    assert told["session_timeout"] == ("10s", "SLA_MONITOR_SESSION_TIMEOUT")
    assert told["backfill_age"] == ("15m", "default")
    assert told["check_crcs"] == ("false", "SLA_MONITOR_CHECK_CRCS")


def test_the_environment_can_name_the_file(file: Path) -> None:
    file.write_text("app_id: named\n")

    assert load_settings(None, {"SLA_MONITOR_SETTINGS": str(file)}).app_id == "named"


def test_an_empty_file_sets_nothing(file: Path) -> None:
    file.write_text("# nothing yet\n")

    assert load_settings(file, {}) == Settings()


def test_secrets_are_kept_but_never_shown(file: Path) -> None:
    file.write_text("security: {protocol: SASL_SSL, mechanism: PLAIN, username: sla}\n")

    settings = load_settings(file, {"SLA_MONITOR_SECURITY_PASSWORD": "0815"})

    assert settings.security.password is not None
    assert settings.security.password.get_secret_value() == "0815"
    assert "0815" not in repr(settings)
    assert "0815" not in repr(effective(settings))
    assert ("security.password", "********", "SLA_MONITOR_SECURITY_PASSWORD") in effective(settings)


def test_a_password_from_the_environment_is_refused_where_nothing_would_be_encrypted_or_checked() -> None:
    assert mistakes_of(None, {"SLA_MONITOR_SECURITY_PASSWORD": "0815"}) == [
        "settings: security: PLAINTEXT does not use password (write protocol: SASL_SSL, or SSL, or remove it)"
    ]


def test_tokens_are_fetched_with_credentials_of_the_client(file: Path) -> None:
    file.write_text(
        "security: {protocol: SASL_SSL, mechanism: OAUTHBEARER, client_id: c, token_endpoint: 'https://tokens.example'}"
    )

    settings = load_settings(file, {"SLA_MONITOR_SECURITY_CLIENT_SECRET": "0815"})

    assert settings.security.client_secret is not None
    assert settings.security.client_secret.get_secret_value() == "0815"
    assert "0815" not in repr(settings) + repr(effective(settings))


def test_a_secret_of_digits_is_a_secret(file: Path) -> None:
    file.write_text("security: {protocol: SSL, certificate_file: c, key_file: k, key_password: 4711}")

    settings = load_settings(file, {})

    assert settings.security.key_password is not None
    assert settings.security.key_password.get_secret_value() == "4711"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("app_idd: x", "1: app_idd: unknown key (did you mean 'app_id'?)"),
        ("topics:\n  ticket: x", "2: topics.ticket: unknown key (did you mean 'tickets'?)"),
        ("bootstrap: kafka", "1: bootstrap: is no broker address: 'kafka' (write host:9092, several with commas)"),
        (
            "bootstrap: a:1,b:99999",
            "1: bootstrap: is no broker address: 'b:99999' (write host:9092, several with commas)",
        ),
        (
            "topics: {tickets: a b}",
            "1: topics.tickets: is no topic name: 'a b' (use letters, digits, '-', '_' and '.')",
        ),
        ("web: {headers_timeout: 10ms}", "1: web.headers_timeout: must be 100ms to 1m, not 10ms"),
        ("web: {answer_timeout: 1h}", "1: web.answer_timeout: must be 1s to 10m, not 1h"),
        ("web: {max_connections: 1}", "1: web.max_connections: must be at least 2, not 1"),
        (
            "web: {max_connections: 4, max_scrapes: 4}",
            "1: web: max_scrapes (4) leaves no connection of 4 for a probe (keep it below max_connections)",
        ),
        ("web: {port: 70000}", "1: web.port: must be at most 65535, not 70000"),
        ("max_batch_records: 0", "1: max_batch_records: must be at least 1, not 0"),
        ("max_event_bytes: 1 MB", "1: max_event_bytes: is no size: '1 MB' (write 1 MiB, 64 KiB or a number of bytes)"),
        (
            "max_dead_letter_bytes: 8 MiB",
            "1: max_dead_letter_bytes: must be at most 7 MiB, not 8,388,608 bytes (longer records are cut)",
        ),
        (
            "log_level: warn",
            "1: log_level: must be 'debug', 'info', 'warning' or 'error', not 'warn' (did you mean 'warning'?)",
        ),
        ("\nsecurity: {protocol: SASL_SSL}", "2: security: SASL_SSL needs mechanism, username, password"),
        ("security: {protocol: SSL, key_file: a}", "1: security: certificate_file and key_file need each other"),
        (
            "security: {password: p}",
            "1: security: PLAINTEXT does not use password (write protocol: SASL_SSL, or SSL, or remove it)",
        ),
        (
            "security: {certificate_file: c, key_file: k, key_password: p}",
            (
                "1: security: PLAINTEXT does not use certificate_file, key_file, key_password "
                "(write protocol: SASL_SSL, or SSL, or remove it)"
            ),
        ),
        (
            "security: {protocol: SSL, mechanism: PLAIN, username: u, password: p}",
            "1: security: SSL does not use mechanism, username, password (remove it)",
        ),
        (
            "security: {protocol: SASL_PLAINTEXT, mechanism: PLAIN, username: u, password: p, ca_file: c}",
            "1: security: SASL_PLAINTEXT with PLAIN does not use ca_file (remove it)",
        ),
        ("security: {protocol: SSL, key_password: p}", "1: security: key_password needs key_file"),
        (
            "security: {protocol: SASL_SSL, mechanism: OAUTHBEARER, username: u}",
            "1: security: SASL_SSL with OAUTHBEARER does not use username (remove it)",
        ),
        (
            "security: {protocol: SASL_SSL, mechanism: OAUTHBEARER, client_id: c}",
            "1: security: SASL_SSL needs token_endpoint, client_secret",
        ),
        (
            "security: {token_endpoint: 'http://tokens.example/t'}",
            (
                "1: security.token_endpoint: would send the client's secret unencrypted "
                "(write https://; http:// is for this machine only)"
            ),
        ),
        (
            "security: {token_endpoint: 'https://u:p@tokens.example/t'}",
            (
                "1: security.token_endpoint: is no address of a token endpoint "
                "(write https://host/path, without user and password)"
            ),
        ),
        (
            "security: {token_endpoint: 'https://[::1'}",
            (
                "1: security.token_endpoint: is no address of a token endpoint "
                "(write https://host/path, without user and password)"
            ),
        ),
        ("security: {password: [x]}", "1: security.password: must be text, not a list"),
        ("- app_id", "1: must be a map of keys and values, not a list"),
        ("app_id: a\n---\napp_id: b", "3: is a second document (settings are one document)"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(text: str, told: str, file: Path) -> None:
    file.write_text(text)

    assert mistakes_of(file, {}) == [told]


def test_all_mistakes_of_file_and_environment_are_told_at_once(file: Path) -> None:
    file.write_text("app_idd: x\nsession_timeout: 30\n")
    environ = {
        "SLA_MONITOR_TOPIC_CALLS": "x", "SLA_MONITOR_WEB_PORT": "x", "SLA_MONITOR_APP_ID": "a/b",
        "SLA_MONITOR_SOURCES": "x",
    }  # fmt: skip

    told = mistakes_of(file, environ)

    assert sorted(told) == [
        "1: app_idd: unknown key (did you mean 'app_id'?)",
        f"2: session_timeout: is no duration: 30 ({DURATION_HINT})",
        "environment: SLA_MONITOR_APP_ID: is no topic name: 'a/b' (use letters, digits, '-', '_' and '.')",
        "environment: SLA_MONITOR_SOURCES: is a list, which no variable can hold (write it into the settings file)",
        "environment: SLA_MONITOR_TOPIC_CALLS: unknown setting (did you mean 'SLA_MONITOR_TOPICS_CALLS'?)",
        "environment: SLA_MONITOR_WEB_PORT: must be a whole number, not the text 'x'",
    ]


def test_a_value_of_the_environment_can_mend_the_file(file: Path) -> None:
    file.write_text("bootstrap: kafka\n")

    assert load_settings(file, {"SLA_MONITOR_BOOTSTRAP": "kafka:9092, other:9092"}).bootstrap == "kafka:9092,other:9092"


def test_the_environment_does_not_hide_that_a_section_of_the_file_is_none(file: Path) -> None:
    file.write_text("web: 6066\n")

    assert mistakes_of(file, {"SLA_MONITOR_WEB_PORT": "1"}) == [
        "1: web: must be a map of keys and values, not the number 6066"
    ]


def test_a_missing_file_is_a_mistake(tmp_path: Path) -> None:
    (told,) = mistakes_of(tmp_path / "none.yaml", {})

    assert told.endswith("cannot be read: No such file or directory")


MAPPING = """\
mapping: hooks
subject: ticket
subject_id: "{number}"
events: [{type: opened, at: at}]
"""


def test_sources_name_topics_of_others_and_mapping_files_beside_the_settings(file: Path) -> None:
    (file.parent / "mappings").mkdir()
    (file.parent / "mappings" / "hooks.yaml").write_text(MAPPING)
    file.write_text("sources:\n  - {topic: hooks, mapping: mappings/hooks.yaml, partitions: 3}\n")

    settings = load_settings(file, {})

    (source,) = settings.sources
    assert (source.topic, source.partitions, source.rows().name) == ("hooks", 3, "hooks")
    told = {name: (value, origin) for name, value, origin in effective(settings)}
    assert told["sources"] == (f"hooks through {file.parent}/mappings/hooks.yaml", f"{file}:1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{topic: hooks}", "2: sources[0].mapping: is missing"),
        ("{topic: hooks, mapping: hooks.yaml, partition: 1}", "2: sources[0].partition: unknown key (did you mean"),
        ("{topic: hooks, mapping: none.yaml}", "2: sources[0].mapping: there is no file FOLDER/none.yaml (the path"),
        ("{topic: hooks, mapping: bad.yaml}", "FOLDER/bad.yaml:2: subject: must be 'ticket'"),
        ("{topic: hooks, mapping: group.yaml}", "FOLDER/group.yaml:5: group: looks at the rows before"),
        ("{topic: tickets, mapping: hooks.yaml}", "2: sources[0].topic: is a topic of the monitor itself: 'tickets'"),
        ("{topic: dead-letters, mapping: hooks.yaml}", "2: sources[0].topic: is a topic of the monitor itself"),
        ("{topic: a b, mapping: hooks.yaml}", "2: sources[0].topic: is no topic name"),
        ("{topic: hooks, mapping: hooks.yaml, partitions: 0}", "2: sources[0].partitions: must be at least 1"),
        ("{topic: h, mapping: hooks.yaml}\n  - {topic: h, mapping: hooks.yaml}", "3: sources[1].topic: is given twice"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_source_is_told_with_its_line_also_one_in_the_mapping_file(
    text: str, told: str, file: Path
) -> None:
    (file.parent / "hooks.yaml").write_text(MAPPING)
    (file.parent / "bad.yaml").write_text(MAPPING.replace("ticket", "tiket"))
    (file.parent / "group.yaml").write_text(MAPPING + "group: {by: [number]}\n")
    file.write_text(f"sources:\n  - {text}\n")

    (found,) = mistakes_of(file, {})

    assert found.replace(str(file.parent), "FOLDER").startswith(told)


def test_every_setting_is_described_and_can_be_set_by_a_variable_of_its_own() -> None:
    settings = catalogue()

    assert all(one.description.endswith(".") for one in settings)
    variables = [one.variable for one in settings if one.variable]
    assert len({*variables, "SLA_MONITOR_SETTINGS"}) == len(variables) + 1
    assert {"SLA_MONITOR_BOOTSTRAP", "SLA_MONITOR_TOPICS_DEAD_LETTERS"} <= {one.variable for one in settings}
    lists = {one.name for one in settings if not one.variable}
    assert lists == {
        "sources", "pages.tokens", "pages.hosts", "pages.proxy_addresses", "pages.proxy_roles", "reports.formats"
    }, "lists stand in the file only"  # fmt: skip


def test_what_effective_shows_can_be_written_into_a_file(file: Path) -> None:
    lines: dict[str, list[str]] = {}
    for name, value, _ in effective(Settings()):
        section, _, key = name.rpartition(".")
        if value:
            lines.setdefault(section, []).append(f"{'  ' if section else ''}{key}: {value}")
    file.write_text("\n".join("\n".join([f"{name}:" if name else "", *keys]) for name, keys in lines.items()))

    assert load_settings(file, {}).model_dump() == Settings().model_dump()
