"""The law of secrets: settings show none, and mistakes in them show none, whatever is wrong and wherever they stand."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from monitor.config.reading.secrets import holds_secrets, secrets_in
from monitor.config.settings.security import SecuritySettings
from monitor.config.settings.settings import PREFIX, Settings, load_settings
from monitor.errors import ConfigError
from tests.cli.conftest import Run, lines, run
from tests.secrets.canaries import KINDS, Canaries, receiver
from tests.test_readme import ROOT

__all__ = ["run"]

FORMS = pytest.mark.parametrize("form", [["--json"], []], ids=["json", "table"])
ADDRESS = "https://receiver.example"
SHIPPED = [
    file
    for file in sorted([*ROOT.glob("deploy/**/*.yaml"), *ROOT.glob("monitor/**/*.yaml")])
    if file.name == "settings.yaml"
]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: str(file.relative_to(ROOT)))
@FORMS
def test_every_shipped_settings_file_is_shown(file: Path, form: list[str], run: Run):
    # What the shipped files leave to the environment, where they say how one logs in.
    logs_in = (yaml.safe_load(file.read_text()) or {}).get("security", {}).get("mechanism")
    user = {PREFIX + "SECURITY_USERNAME": "sla", PREFIX + "SECURITY_PASSWORD": "x"} if logs_in else {}
    shown = run("settings", "--settings", file, *form, env=user)

    assert shown.exit_code == 0, shown.output
    for name in (yaml.safe_load(file.read_text()) or {}).get("receivers", {}):
        assert f"receivers.{name}.kind" in shown.stdout


def test_there_are_shipped_files_with_receivers():
    assert any("\nreceivers:" in file.read_text() for file in SHIPPED)


@FORMS
def test_settings_show_hosts_and_variables_but_no_canary(
    settings_file: Path, canaries: Canaries, run: Run, form: list[str]
):
    shown = run("settings", "--settings", settings_file, *form)

    assert shown.exit_code == 0, shown.output
    canaries.absent_from(shown.output, "settings")
    for kind in KINDS:
        assert f"receivers.{kind}.kind" in shown.stdout
    assert "https://receiver.example" in shown.stdout
    assert "http://receiver.example/********" in shown.stdout, "the proxy"
    if form:
        told = {line["name"]: line for line in lines(shown)}
        assert told["receivers.slack.channel"]["value"].startswith("${CANARY_")
        assert told["receivers.pagerduty.routing_key"]["value"] == "********"
        assert told["receivers.slack.channel"]["variable"] is None


LOGINS = {
    "PLAIN": {"USERNAME": "sla", "CERTIFICATE_FILE": "cert.pem", "KEY_FILE": "key.pem"},
    "OAUTHBEARER": {"CLIENT_ID": "sla", "TOKEN_ENDPOINT": "https://tokens.example/t"},
}
"""What each mechanism has beside its secrets."""
SECRETS = {
    "PLAIN": {"PASSWORD", "KEY_PASSWORD"},
    "OAUTHBEARER": {"CLIENT_SECRET"},
}


def test_each_secret_of_the_brokers_belongs_to_a_login():
    secret = {name.upper() for name, one in SecuritySettings.model_fields.items() if holds_secrets(one.annotation)}

    assert set().union(*SECRETS.values()) == secret


@pytest.mark.parametrize("mechanism", LOGINS)
def test_nothing_of_the_settings_prints_a_canary(settings_file: Path, canaries: Canaries, mechanism: str):
    login = {"PROTOCOL": "SASL_SSL", "MECHANISM": mechanism, **LOGINS[mechanism]}
    login |= {name: canaries.text() for name in SECRETS[mechanism]}
    environment = {PREFIX + "SECURITY_" + name: value for name, value in login.items()}
    settings = load_settings(settings_file, {**canaries.environment, **environment})

    assert len(list(secrets_in(settings))) > 20
    for one in (settings, settings.security, *settings.receivers.values(), *secrets_in(settings)):
        for printed in (repr(one), str(one), f"{one}"):
            canaries.absent_from(printed, type(one).__name__)
    canaries.absent_from(repr(settings.model_dump()["security"]), "model_dump")


def mistakes(file: Path, document: Any, environment: dict[str, str]) -> str:
    """Return all that is told of a settings file, its traceback too; empty where it is right."""
    file.write_bytes(document if isinstance(document, bytes) else orjson.dumps(document))
    try:
        load_settings(file, environment)
    except ConfigError as error:
        return "".join(traceback.format_exception(error)) + repr(error) + repr(error.mistakes)
    return ""


WRONG: dict[str, Any] = {
    "a text": lambda text: text,
    "a list": lambda text: [text],
    "lists": lambda text: [[text]],
    "a map": lambda text: {"key": text},
    "maps": lambda text: {"key": {"key": text}},
    "another scheme": lambda text: f"ftp://{text}",
    "a user": lambda text: f"https://{text}@host/",
    "a password": lambda text: f"http://me:{text}@host/#{text}",
    "a port": lambda text: f"https://host:{text}/",
    "a query": lambda text: f"https://host/?{text}#{text}",
    "a signing secret": lambda text: f"whsec_{text}?",
    "not ASCII": lambda text: f"{text}ü",
    "a line break": lambda text: f"{text}\n{text}",
    "nothing": lambda text: f"{text}\x00",
    "long": lambda text: text * 100,
    "a number with a text": lambda text: f"5{text}",
}
FIELDS = [(kind, name) for kind, model in KINDS.items() for name in model.model_fields]


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_a_mistake_in_a_receiver_shows_nothing_of_a_variable(kind: str, field: str, tmp_path: Path, canaries: Canaries):
    described = receiver(kind, canaries, ADDRESS, secrets_only=True)
    alias = KINDS[kind].model_fields[field].alias or field
    there_were = 0
    for wrong in WRONG.values():
        document = {"receivers": {"pager": {**described, alias: wrong(canaries.variable(canaries.text()))}}}
        told = mistakes(tmp_path / "settings.yaml", document, canaries.environment)
        canaries.absent_from(told, "the mistake")
        there_were += bool(told)
    assert there_were > 3


@pytest.mark.parametrize(
    ("kind", "field"), [one for one in FIELDS if holds_secrets(KINDS[one[0]].model_fields[one[1]].annotation)]
)
def test_a_mistake_in_a_secret_that_stands_in_the_file_shows_nothing_of_it(
    kind: str, field: str, tmp_path: Path, canaries: Canaries
):
    described = receiver(kind, canaries, ADDRESS, secrets_only=True)
    alias = KINDS[kind].model_fields[field].alias or field
    for wrong in WRONG.values():
        document = {"receivers": {"pager": {**described, alias: wrong(canaries.text())}}}
        told = mistakes(tmp_path / "settings.yaml", document, canaries.environment)
        canaries.absent_from(told, "the mistake")


@pytest.mark.parametrize("place", ["receivers", "a receiver", "security", *SecuritySettings.model_fields])
@pytest.mark.parametrize("other", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
def test_a_password_in_the_wrong_line_shows_nothing_of_it(place: str, other: str, tmp_path: Path, canaries: Canaries):
    for wrong in WRONG.values():
        _nothing_shows(wrong(canaries.text()), place, other, tmp_path / "settings.yaml", canaries)


def _nothing_shows(value: Any, place: str, other: str, file: Path, canaries: Canaries) -> None:
    document = {
        "receivers": {"receivers": value},
        "a receiver": {"receivers": {"pager": value}},
        "security": {"security": value},
    }.get(place, {"security": {"protocol": other, place: value}})
    told = mistakes(file, document, {})
    canaries.absent_from(told, "the mistake")

    if place in SecuritySettings.model_fields:
        text = value if isinstance(value, str) else canaries.text()
        environment = {PREFIX + "SECURITY_PROTOCOL": other, PREFIX + "SECURITY_" + place.upper(): text}
        canaries.absent_from(mistakes(file, {}, environment), "the mistake")


@pytest.mark.parametrize(
    "line",
    [
        "password: *{}", "password: &{} *{}", "password: !{} x", "password: !{}!x y", "password: %{}", "password: @{}",
        "password: !!int {}", "password: !!float {}", "password: [{}", "password: {{{}", "password: '{}",
        'password: "{}', "password: '{}' {}", "password: {}: {}", "password: |{}", "password: {}\n password: {}", "{}",
        "- {}",
        "password: 1.5\nkey_password: true",
    ],
)  # fmt: skip
def test_a_password_that_is_no_yaml_is_not_shown(line: str, tmp_path: Path, canaries: Canaries):
    text = canaries.text()
    written = line.replace("{}", text).replace("{{", "{")

    told = mistakes(tmp_path / "settings.yaml", f"security:\n  {written}\n".encode(), {})

    assert told
    canaries.absent_from(told, "the mistake")


def test_a_secret_that_is_a_number_is_not_shown(tmp_path: Path):
    for text in ("1.5", "-7.25", "[471108]"):
        assert text.strip("[]") not in mistakes(
            tmp_path / "settings.yaml", f"security: {{password: {text}}}".encode(), {}
        )


def test_an_error_of_the_model_itself_shows_no_value(canaries: Canaries):
    with pytest.raises(ValueError, match="validation error") as refused:
        Settings.model_validate({"security": {"password": [canaries.text()]}, "receivers": {"a": canaries.text()}})
    canaries.absent_from(str(refused.value), "pydantic's error")
