"""The compose file: valid for Compose itself, safe, and its commands are ours."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import click
import pytest
import yaml

from monitor.config.agreements.checking import load_agreements
from monitor.config.settings.settings import PREFIX, catalogue, load_settings
from monitor.installation import topic_plan
from monitor.pages.access import Access
from monitor.reports.forms import NEEDED
from tests.deploy.stack import FILE, ROOT, interpolated, ours, parse, services
from tests.deploy.tools import COMPOSE, go_tool
from tests.kafka.broker import KAFKA

SERVICES = services()
OURS = ours(SERVICES)
ONCE = {"topics", "agreements"}
WORKERS = {"worker-1", "worker-2"}
WRITABLE_ROOT = {"kafka"}  # the reason stands in the file
FROM_OTHERS = ("grafana", "deploy/prometheus", "deploy/alertmanager")


def each(names=SERVICES):
    return pytest.mark.parametrize("name", sorted(names))


def model(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [go_tool(COMPOSE), "-format", "json", str(file)],
        cwd=file.parent, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_compose_itself_accepts_the_file_and_reads_it_as_we_do():
    told = model(FILE)
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)["services"]
    assert {name: one.get("command") for name, one in found.items()} == {
        name: one.get("command") for name, one in SERVICES.items()
    }
    assert {name: one.get("environment") for name, one in found.items()} == {
        name: one.get("environment") for name, one in SERVICES.items()
    }


def test_compose_itself_would_have_refused_a_mistake(tmp_path: Path):
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(FILE.read_text().replace("healthcheck:", "healthchek:", 1))
    told = model(wrong)
    assert told.returncode == 1
    assert "healthchek" in told.stderr


def test_all_parts_of_the_demonstration_are_there():
    assert (
        set(SERVICES)
        == {"kafka", "traffic", "web", "reports", "prometheus", "alertmanager", "grafana"} | ONCE | WORKERS
    )


@each()
def test_a_service_has_a_pinned_image(name: str):
    image, _, tag = SERVICES[name]["image"].partition(":")
    assert image
    digest = "" if SERVICES[name] in OURS.values() else r"@sha256:[0-9a-f]{64}"
    assert re.fullmatch(rf"v?\d+\.\d+\.\d+{digest}", tag)


def test_our_image_is_of_this_version_and_built_once():
    assert {one["image"] for one in OURS.values()} == {f"sla-monitor:{version('sla-monitor')}"}
    (built,) = [one for one in OURS.values() if "build" in one]
    assert (ROOT / built["build"]["dockerfile"]).is_file()
    assert built["pull_policy"] == "build"
    assert all(one["pull_policy"] == "never" for one in OURS.values() if one is not built), "no registry has it"


def test_kafka_is_the_version_that_the_tests_run_against():
    assert SERVICES["kafka"]["image"].partition("@")[0] == f"apache/kafka:{KAFKA}"


@each()
def test_a_service_is_bounded_restarted_and_cannot_gain_rights(name: str):
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    assert service["restart"] == ("on-failure:5" if name in ONCE else "unless-stopped")
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service.get("read_only", False) == (name not in WRITABLE_ROOT)
    assert "privileged" not in service
    assert service["logging"]["options"]["max-size"]


@each(SERVICES.keys() - ONCE)
def test_a_service_that_goes_on_has_a_health_check(name: str):
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@each()
def test_only_grafana_is_reachable_from_outside(name: str):
    for port in SERVICES[name].get("ports", ()):
        if name == "grafana":
            assert port == "3000:3000"
        else:
            assert port.startswith("127.0.0.1:")
    assert "network_mode" not in SERVICES[name]


def test_nobody_can_log_in_to_the_grafana_that_everybody_reaches():
    environment = SERVICES["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert environment["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert environment["GF_AUTH_BASIC_ENABLED"] == "false"
    assert environment["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"


def test_no_two_services_want_the_same_port_of_the_machine():
    published = [port.rsplit(":", 2)[-2] for one in SERVICES.values() for port in one.get("ports", ())]
    assert len(set(published)) == len(published)


@each(OURS)
def test_its_command_is_one_of_ours(name: str):
    parse(OURS[name]["command"])


def test_a_command_that_is_not_ours_would_have_been_noticed():
    for wrong in (["wroker"], ["topics", "crate"], ["traffic", "--histroy", "1"], ["topics"]):
        with pytest.raises(click.UsageError):
            parse(wrong)


@each(OURS)
def test_its_variables_are_settings_with_values_that_hold(name: str):
    environment = OURS[name]["environment"]
    assert all(isinstance(value, str) for value in environment.values()), "compose passes text"
    ours_only = {key for key in environment if key.startswith(PREFIX)}
    assert ours_only <= {setting.variable for setting in catalogue()}
    load_settings(None, environment)


def test_the_pages_ask_for_the_token_that_the_file_names():
    (mount,) = SERVICES["web"]["volumes"]
    settings = load_settings(ROOT / mount["source"], SERVICES["web"]["environment"]).pages
    assert Access.of(settings).by_token("try-it-out").role == "operator"
    assert "token try-it-out" in FILE.read_text()
    assert SERVICES["web"]["ports"] == [f"127.0.0.1:6080:{settings.port}"]
    assert SERVICES["web"]["healthcheck"]["test"][-1] == f"http://127.0.0.1:{settings.port}"


def test_reports_are_written_where_the_image_lets_them_and_their_health_is_the_file_that_they_touch():
    service = SERVICES["reports"]
    asked = dict(zip(service["command"], service["command"][1:], strict=False))
    (mount,) = service["volumes"]
    assert asked["--out"] == mount["target"]
    assert f"10001 -m 0750 {mount['target']}\n" in (ROOT / "deploy/Dockerfile").read_text(), "else only root may write"
    assert f"find {asked['--heartbeat']} " in service["healthcheck"]["test"][1]
    assert f"reports:{mount['target']} ." in FILE.read_text()


def test_the_forms_that_the_services_write_need_no_more_than_the_image_holds():
    wanted = SERVICES["reports"]["command"]
    forms = [form for before, form in pairwise(wanted) if before == "--format"]
    locked = (ROOT / "requirements.txt").read_text()
    assert forms
    for library in (one for form in forms for one in NEEDED[form]):
        assert re.search(rf"^{library}==", locked, re.MULTILINE | re.IGNORECASE), library


def test_all_services_agree_on_the_topics():
    plans = [topic_plan(load_settings(None, one["environment"])) for one in OURS.values()]
    assert all(plan == plans[0] for plan in plans)


def test_each_worker_has_a_name_of_its_own_for_static_membership():
    names = [SERVICES[name]["environment"]["SLA_MONITOR_INSTANCE_ID"] for name in sorted(WORKERS)]
    assert names == sorted(WORKERS)


MOUNTS = [
    pytest.param(mount, id=f"{name}:{mount['source']}")
    for name, service in SERVICES.items()
    for mount in service.get("volumes", ())
    if mount["type"] == "bind"
]


@pytest.mark.parametrize("mount", MOUNTS)
def test_what_it_mounts_exists_and_cannot_be_written(mount):
    assert mount["read_only"]
    assert mount["bind"] == {"create_host_path": False}, "a missing path is an error, not an empty folder"
    source = mount["source"].removeprefix("./")
    if source.startswith(FROM_OTHERS):
        from_others(source)
    assert (ROOT / source).exists()


def test_whoever_an_example_agreement_names_is_told_through_the_alertmanager_of_the_stack():
    (settings,) = {mount["source"] for name in WORKERS for mount in SERVICES[name]["volumes"]}
    receivers = load_settings(ROOT / settings, {}).receivers
    told = {
        name
        for one in load_agreements(ROOT / "deploy/agreements").agreements
        for names in (one.notify.receivers, one.notify.at_risk, *(step.receivers for step in one.notify.escalation))
        for name in names
    }

    assert set(receivers) == told
    port = SERVICES["alertmanager"]["ports"][0].rsplit(":", 1)[1]
    assert {one.url.get_secret_value() for one in receivers.values()} == {f"http://alertmanager:{port}"}


def test_volumes_that_are_used_are_declared_and_the_others_are_not():
    declared = set(yaml.safe_load(interpolated(FILE.read_text()))["volumes"])
    used = {
        mount["source"] for one in SERVICES.values() for mount in one.get("volumes", ()) if mount["type"] == "volume"
    }
    assert declared == used


@each()
def test_it_waits_for_services_that_are_there_in_a_way_that_they_can_fulfil(name: str):
    for other, how in SERVICES[name].get("depends_on", {}).items():
        expected = "service_completed_successfully" if other in ONCE else "service_healthy"
        assert how == {"condition": expected}, other


def from_others(path: str) -> Path:
    """What is made elsewhere in the project: all of it is there, or none of it yet."""
    file = ROOT / path
    if not any((ROOT / one).exists() for one in FROM_OTHERS):
        pytest.skip(f"missing: {path}")
    assert file.exists()
    return file


def test_prometheus_scrapes_all_workers_where_they_listen_and_tells_the_alertmanager():
    config = yaml.safe_load(from_others("deploy/prometheus/prometheus.yml").read_text())
    (job,) = [one for one in config["scrape_configs"] if one["job_name"] == "sla-monitor"]
    scraped = {target for group in job.get("static_configs", ()) for target in group["targets"]}
    scraped |= {f"{name}:{group['port']}" for group in job.get("dns_sd_configs", ()) for name in group["names"]}
    for name in WORKERS:
        service = SERVICES[name]
        port = load_settings(None, service["environment"]).web.port
        assert scraped & {f"{known}:{port}" for known in (name, *service["networks"]["default"]["aliases"])}, name
    told = [target for one in config["alerting"]["alertmanagers"] for group in one["static_configs"]
            for target in group["targets"]]  # fmt: skip
    assert told == ["alertmanager:9093"]


def test_prometheus_finds_its_rules_in_what_is_mounted():
    file = from_others("deploy/prometheus/prometheus.yml")
    targets = {mount["target"] for mount in SERVICES["prometheus"]["volumes"]}
    for pattern in yaml.safe_load(file.read_text())["rule_files"]:
        assert str(Path("/etc/prometheus", pattern).parent) in targets
        assert list(file.parent.glob(f"rules/{Path(pattern).name}"))


def test_grafana_has_every_variable_of_its_provisioning_and_finds_its_first_page():
    folder = from_others("grafana/provisioning")
    environment = SERVICES["grafana"]["environment"]
    wanted = {
        name
        for file in folder.rglob("*.yml")
        for line in file.read_text().splitlines()
        if not line.lstrip().startswith("#")
        for name in re.findall(r"\$\{?([A-Z_]+)", line)
    }
    assert wanted <= set(environment)
    sources = {mount["target"]: mount["source"] for mount in SERVICES["grafana"]["volumes"]}
    home = Path(environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (ROOT / sources[str(home.parent)] / home.name).is_file()
    assert environment["SLA_DASHBOARDS"] == str(home.parent)
    assert environment["SLA_PROMETHEUS_URL"] == "http://prometheus:9090"


def test_kafka_can_be_reached_from_this_machine_where_it_says_it_is():
    kafka = SERVICES["kafka"]
    (published,) = kafka["ports"]
    address, _, inside = published.rpartition(":")
    assert f"HOST://{address}" in kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(",")
    assert f"HOST://:{inside}" in kafka["environment"]["KAFKA_LISTENERS"].split(",")
