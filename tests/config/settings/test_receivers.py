"""Receivers in the settings file: strict and kind, secrets from variables, and never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.bootstrap import repeat_every_ms
from monitor.config.receivers.base import secrets_of, stamp_of
from monitor.config.settings.settings import effective, load_settings
from monitor.errors import ConfigError
from tests.notify.given import ROUTING_KEY, SECRET

if TYPE_CHECKING:
    from pathlib import Path

FILE = f"""\
receivers:
  desk.hook:
    kind: generic
    url: https://desk.example/hook?token=t0k3n
    secrets: ["${{NEW}}", {SECRET}]
    authorization: Bearer ${{TOKEN}}
    headers: {{X-Tenant: noc}}
    timeout: 3s
  bridge: {{kind: alertmanager, url: "http://bridge:9000/", link: "https://grafana.example/d/1"}}
  am-1: {{kind: alertmanager_api, url: "http://am-1:9093", labels: {{team: noc}}, expires_after: 2d}}
  pager: {{kind: pagerduty, routing_key: {ROUTING_KEY}}}
  genie: {{kind: opsgenie, api_key: "${{GENIE}}", teams: [Desk], tags: [sla, "42"]}}
  channel: {{kind: slack, url: "https://hooks.slack.com/services/T0/B0/s3cr3t"}}
  bot: {{kind: slack, token: xoxb-1, channel: "#desk"}}
"""
ENVIRONMENT = {"NEW": SECRET[:-4] + "AAA=", "TOKEN": "abcdefgh", "GENIE": "0815-4711"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.yaml"


def mistakes_of(path: Path, environ: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load_settings(path, environ)
    return [str(one).replace(f"{path}:", "") for one in refused.value.mistakes]


def test_each_kind_is_read_and_variables_are_put_in(file: Path) -> None:
    file.write_text(FILE)

    receivers = load_settings(file, ENVIRONMENT).receivers

    assert {name: one.kind for name, one in receivers.items()} == {
        "desk.hook": "generic",
        "bridge": "alertmanager",
        "am-1": "alertmanager_api",
        "pager": "pagerduty",
        "genie": "opsgenie",
        "channel": "slack",
        "bot": "slack",
    }
    hook = receivers["desk.hook"]
    assert list(secrets_of(hook)) == [
        "https://desk.example/hook?token=t0k3n",
        ENVIRONMENT["NEW"],
        SECRET,
        "Bearer abcdefgh",
        "noc",
    ]
    assert (hook.timeout_ms, receivers["pager"].timeout_ms) == (3_000, 15_000)


def test_each_is_told_again_after_four_hours_unless_it_says_otherwise(file: Path) -> None:
    file.write_text(
        f"receivers:\n  a: {{kind: pagerduty, routing_key: {ROUTING_KEY}}}\n"
        f"  b: {{kind: pagerduty, routing_key: {ROUTING_KEY}, repeat_every: 30m}}\n"
        f"  c: {{kind: pagerduty, routing_key: {ROUTING_KEY}, repeat_every: never}}\n"
    )
    settings = load_settings(file, {})

    assert [repeat_every_ms(settings, name) for name in "abc"] == [4 * 3_600_000, 30 * 60_000, 0]
    assert repeat_every_ms(settings, "nobody") == 0
    told = {name: value for name, value, _ in effective(settings)}
    assert [told[f"receivers.{name}.repeat_every"] for name in "abc"] == ["4h", "30m", "never"]


def test_they_are_shown_with_their_lines_and_without_secrets(file: Path) -> None:
    file.write_text(FILE)
    settings = load_settings(file, ENVIRONMENT)

    told = {name: (value, origin) for name, value, origin in effective(settings)}

    assert told["receivers.desk.hook.url"] == ("https://desk.example/********", f"{file}:4")
    assert told["receivers.desk.hook.secrets"] == ("********, ********", f"{file}:5")
    assert told["receivers.desk.hook.headers"] == ("X-Tenant=********", f"{file}:7")
    assert told["receivers.desk.hook.timeout"] == ("3s", f"{file}:8")
    assert told["receivers.am-1.labels"] == ("team=noc", f"{file}:10")
    assert told["receivers.pager.routing_key"] == ("********", f"{file}:11")
    assert told["receivers.pager.url"] == ("https://events.pagerduty.com/********", "default")
    assert told["receivers.genie.tags"] == ("sla, 42", f"{file}:12")
    assert told["receivers.bot.url"] == ("", "default")
    shown = repr(effective(settings)) + repr(settings)
    for secret in ("t0k3n", SECRET, "abcdefgh", "noc'", ROUTING_KEY, "4711", "s3cr3t", "xoxb-1"):
        assert secret not in shown.replace("team=noc'", "").replace("'team': 'noc'", "")


def test_a_receiver_has_another_stamp_after_any_change(file: Path) -> None:
    texts = [FILE, FILE.replace("hook?token=t0k3n", "hook?token=t0k3m"), FILE.replace("3s", "4s")]
    environments = [ENVIRONMENT, ENVIRONMENT, ENVIRONMENT, {**ENVIRONMENT, "TOKEN": "abcdefgi"}]
    stamps = []
    for text, environ in zip([*texts, FILE], environments, strict=True):
        file.write_text(text)
        stamps.append(stamp_of(load_settings(file, environ).receivers["desk.hook"]))
    file.write_text(FILE)

    assert len(set(stamps)) == 4
    assert stamp_of(load_settings(file, ENVIRONMENT).receivers["desk.hook"]) == stamps[0]


def test_a_variable_that_is_not_set_is_named_once(file: Path) -> None:
    file.write_text(FILE)

    assert mistakes_of(file, {"NEW": ENVIRONMENT["NEW"], "GENIE": ""}) == [
        "6: receivers.desk.hook.authorization: the environment variable TOKEN is not set (set it, or mend the name)",
        "12: receivers.genie.api_key: the environment variable GENIE is not set (set it, or mend the name)",
    ]


def test_a_dollar_sign_can_be_written(file: Path) -> None:
    file.write_text('receivers: {a: {kind: opsgenie, api_key: "$${X}$1${Y}"}}')

    assert "${X}$1y" in secrets_of(load_settings(file, {"Y": "y"}).receivers["a"])


def test_a_variable_may_have_a_name_that_begins_as_settings_do(file: Path) -> None:
    file.write_text('receivers: {a: {kind: opsgenie, api_key: "${SLA_MONITOR_GENIE}"}}')

    assert "key" in secrets_of(load_settings(file, {"SLA_MONITOR_GENIE": "key"}).receivers["a"])
    (told,) = mistakes_of(file, {"SLA_MONITOR_GENIE": "key", "SLA_MONITOR_GENIES": "key"})
    assert told.startswith("environment: SLA_MONITOR_GENIES: unknown setting")


def test_variables_of_other_settings_are_left_alone(file: Path) -> None:
    file.write_text('security: {protocol: SASL_SSL, mechanism: PLAIN, username: "${X}", password: p}')

    assert load_settings(file, {}).security.username == "${X}"


@pytest.mark.parametrize(
    ("one", "told"),
    [
        ("a b: {kind: slack, url: 'https://x'}", "a b: is no name of a receiver: 'a b'"),
        ("a: {kind: slak}", "a.kind: is unknown: 'slak' (did you mean 'slack'?)"),
        ("a: {url: 'https://x'}", "a.kind: is missing"),
        ("a: 5", "a: must be a map of keys and values, not a number"),
        ("a: {kind: slack}", "a: needs url, or token and channel (url is that of an incoming webhook)"),
        ("a: {kind: slack, token: x}", "a: token and channel need each other"),
        ("a: {kind: slack, url: 'https://x', chanel: y}", "a.chanel: unknown key (did you mean 'channel'?)"),
        ("a: {kind: teams}", "a.url: is missing"),
        ("a: {kind: teams, url: 'https://x', token: y}", "a.token: unknown key"),
        ("a: {kind: pagerduty, routing_key: abc}", "a.routing_key: is no integration key"),
        ("a: {kind: opsgenie, api_key: k, routing_key: abc}", "a.routing_key: unknown key"),
        ("a: {kind: opsgenie}", "a.api_key: is missing"),
        ('a: {kind: opsgenie, api_key: "a\\nb"}', "a.api_key: is no value of a header"),
        ("a: {kind: opsgenie, api_key: k, tags: [" + "x" * 51 + "]}", "a.tags[0]: has more than 50 characters"),
        ("a: {kind: alertmanager}", "a.url: is missing"),
        ("a: {kind: alertmanager, url: 'ftp://x'}", "a.url: is no URL (write https://host/path)"),
        ("a: {kind: alertmanager, url: 'https://'}", "a.url: is no URL (write https://host/path)"),
        ("a: {kind: alertmanager, url: 'https://x:99999/'}", "a.url: is no URL (write https://host/path)"),
        ("a: {kind: alertmanager, url: 'https://me:secret@x/'}", "a.url: holds a user or password"),
        ("a: {kind: alertmanager, url: 'https://x/#y'}", "a.url: holds a '#' part (leave it out)"),
        ("a: {kind: alertmanager, url: 'https://ü.example/'}", "a.url: is no URL"),
        ("a: {kind: alertmanager, url: 'https://x/" + "y" * 1_500 + "'}", "a.url: has more than 1,500 characters"),
        ("a: {kind: alertmanager, url: 'https://x/', proxy: 'https://p'}", "a.proxy: is no address of a proxy"),
        ("a: {kind: alertmanager_api, url: 'https://x/?y=1'}", "a.url: holds a '?' part"),
        (
            "a: {kind: alertmanager_api, url: 'https://x/', labels: {a-b: c}}",
            "a.labels.a-b: is no name of a label: 'a-b'",
        ),
        ("a: {kind: alertmanager_api, url: 'https://x/', expires_after: 5s}", "a.expires_after: is shorter than 1m"),
        ("a: {kind: generic, url: 'https://x/', secrets: []}", "a.secrets: must have at least 1 item(s)"),
        ("a: {kind: generic, url: 'https://x/', secrets: ['whsec_?']}", "a.secrets[0]: is no signing secret"),
        (
            "a: {kind: generic, url: 'https://x/', secrets: [" + SECRET + "], headers: {Host: y}}",
            "a.headers.Host: is no header that can be set: 'Host'",
        ),
        ("a: {kind: alertmanager, url: 'https://x/', timeout: 5m}", "a.timeout: is longer than 30s"),
        ("a: {kind: alertmanager, url: 'https://x/', repeat_every: 5s}", "a.repeat_every: is shorter than 1m"),
        ("a: {kind: alertmanager, url: 'https://x/', repeat_every: 0}", "a.repeat_every: is no duration"),
        (
            "a: {kind: alertmanager, url: 'https://x/', max_connections: 0}",
            "a.max_connections: must be at least 1, not 0",
        ),
        ("a: {kind: opsgenie, api_key: '${A B}'}", "a.api_key: names no variable: '${A B}'"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_without_its_value(one: str, told: str, file: Path) -> None:
    file.write_text(f"receivers:\n  {one}\n")

    (found,) = mistakes_of(file, {})
    assert found.startswith(f"2: receivers.{told}")
    assert "secret@" not in found


CLEAR = (
    "would send {} unencrypted, over http:// (write https://, or insecure: true if nobody can listen on that network)"
)


@pytest.mark.parametrize(
    ("one", "sent"),
    [
        ("{kind: alertmanager, url: 'http://x/', authorization: Bearer t}", "authorization"),
        ("{kind: alertmanager, url: 'http://x/hook?token=t'}", "url"),
        ("{kind: alertmanager, url: 'https://x/', proxy: 'http://me:p@proxy:3128'}", "proxy"),
        ("{kind: alertmanager_api, url: 'http://x', authorization: Basic t}", "authorization"),
        ("{kind: generic, url: 'http://x/', secrets: [" + SECRET + "], headers: {X-Key: k}}", "secrets, headers"),
        ("{kind: opsgenie, api_key: k, url: 'http://x'}", "api_key"),
        ("{kind: pagerduty, routing_key: " + ROUTING_KEY + ", url: 'http://x/'}", "routing_key"),
        ("{kind: slack, url: 'http://chat/hooks/t'}", "url"),
        ("{kind: slack, url: 'http://chat/api', token: t, channel: c}", "token, url"),
        ("{kind: slack, url: 'http://127.0.0.1.example/'}", "url"),
        ("{kind: teams, url: 'http://flows.example/'}", "url"),
    ],
)
def test_a_secret_goes_out_unencrypted_only_where_the_settings_say_so(one: str, sent: str, file: Path) -> None:
    file.write_text(f"receivers:\n  a: {one}\n")
    assert mistakes_of(file, {}) == [f"2: receivers.a: {CLEAR.format(sent)}"]

    file.write_text(f"receivers:\n  a: {one[:-1]}, insecure: true}}\n")
    assert load_settings(file, {}).receivers["a"].insecure


@pytest.mark.parametrize(
    "one",
    [
        "{kind: alertmanager_api, url: 'http://alertmanager:9093', labels: {team: noc}}",
        "{kind: alertmanager, url: 'http://bridge:9000/alerts'}",
        "{kind: alertmanager, url: 'https://x/?token=t', authorization: Bearer t, proxy: 'http://proxy:3128'}",
        "{kind: slack, url: 'http://localhost:8065/hooks/t'}",
        "{kind: slack, url: 'http://127.1.2.3/hooks/t'}",
        "{kind: slack, url: 'http://[::1]:8065/hooks/t'}",
    ],
)
def test_without_a_secret_or_on_this_machine_it_needs_no_word(one: str, file: Path) -> None:
    file.write_text(f"receivers:\n  a: {one}\n")
    assert not load_settings(file, {}).receivers["a"].insecure


def test_all_mistakes_are_told_at_once(file: Path) -> None:
    file.write_text(
        "app_idd: x\nreceivers:\n  a: {kind: slak}\n  b: {kind: opsgenie}\n  c: {kind: generic, url: x, timeout: 5}\n"
    )

    assert [one.split(": ")[1] for one in mistakes_of(file, {})] == [
        "receivers.a.kind",
        "receivers.b.api_key",
        "receivers.c.timeout",
        "receivers.c.url",
        "receivers.c.secrets",
        "app_idd",
    ]
