"""The manifests: valid by Kubernetes' own schemas, and true to the program."""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import version
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from monitor.config.settings.settings import PREFIX, catalogue, load_settings
from monitor.installation import topic_plan
from monitor.pages.access import HEALTH
from monitor.web.server import WebServer
from tests.deploy.stack import ROOT, parse
from tests.deploy.tools import KUSTOMIZE, go_tool

FOLDER = ROOT / "deploy" / "kubernetes"
COMPONENTS = ("agreements", "monitoring", "autoscaling", "pages", "reports")
VERSIONS = ("1.30", "1.34", "1.37")
OF_OPERATORS = {"PodMonitor", "ScaledObject", "TriggerAuthentication"}
"""Kinds that Kubernetes' schemas do not know."""


def documents() -> list[dict[str, Any]]:
    files = FOLDER.rglob("*.yaml")
    found = [
        one
        for file in sorted(files)
        if file.name not in {"kustomization.yaml", "settings.yaml"}
        for one in yaml.safe_load_all(file.read_text())
    ]
    assert len(found) > 6
    return found


ALL = documents()
BY_NAME = {(one["kind"], one["metadata"]["name"]): one for one in ALL}
PODS = {name: one["spec"]["template"] for name, one in BY_NAME.items() if "template" in one["spec"]}
WORKER = PODS["StatefulSet", "sla-monitor"]
SETTINGS = FOLDER / "settings.yaml"
SECRETS = {"SLA_MONITOR_SECURITY_USERNAME": "u", "SLA_MONITOR_SECURITY_PASSWORD": "p"}


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["spec"]["containers"]
    return only


def each_pod():
    return pytest.mark.parametrize("pod", [pytest.param(pod, id="/".join(name)) for name, pod in PODS.items()])


@pytest.mark.parametrize("kubernetes", VERSIONS)
@pytest.mark.parametrize(
    "document", [pytest.param(one, id=one["kind"]) for one in ALL if one["kind"] not in OF_OPERATORS]
)
def test_a_manifest_is_valid_by_the_schemas_of_kubernetes(document: dict[str, Any], kubernetes: str):
    kubernetes_validate.validate(document, kubernetes, strict=True)


def test_the_schemas_would_have_refused_a_mistake():
    wrong = yaml.safe_load(yaml.safe_dump(BY_NAME["StatefulSet", "sla-monitor"]).replace("httpGet", "httpget"))
    with pytest.raises(kubernetes_validate.ValidationError, match="httpget"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


@each_pod()
def test_a_pod_runs_a_command_of_ours_as_nobody_on_a_read_only_root(pod: dict[str, Any]):
    spec, only = pod["spec"], container(pod)
    parse(only["args"])
    assert "command" not in only, "the image's entry point"
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False
    assert only["resources"]["limits"]["memory"]
    assert set(only["resources"]["requests"]) == {"cpu", "memory"}


@each_pod()
def test_no_service_of_the_cluster_becomes_a_setting(pod: dict[str, Any]):
    """A service named sla-monitor would add SLA_MONITOR_PORT to each pod, and unknown settings are refused."""
    assert pod["spec"]["enableServiceLinks"] is False


@each_pod()
def test_its_variables_are_settings_and_secrets_come_from_a_secret(pod: dict[str, Any]):
    known = {setting.variable for setting in catalogue()} | {f"{PREFIX}SETTINGS"}
    for variable in container(pod)["env"]:
        assert variable["name"] in known
        if variable["name"] in SECRETS:
            assert variable["valueFrom"]["secretKeyRef"]["name"] == "sla-monitor-kafka"


@each_pod()
def test_what_it_mounts_is_a_volume_of_the_pod_and_tmp_can_be_written(pod: dict[str, Any]):
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in container(pod)["volumeMounts"]}
    assert {mount["name"] for mount in mounts.values()} == set(volumes)
    assert "emptyDir" in volumes[mounts["/tmp"]["name"]]
    claims = {name for name, volume in volumes.items() if "persistentVolumeClaim" in volume}
    assert all(
        mount.get("readOnly") for path, mount in mounts.items() if path != "/tmp" and mount["name"] not in claims
    )


def test_the_settings_of_the_config_map_hold_and_name_what_is_mounted():
    settings = load_settings(SETTINGS, SECRETS)
    paths = [mount["mountPath"] for mount in container(WORKER)["volumeMounts"]]
    assert any(str(settings.security.ca_file).startswith(f"{path}/") for path in paths)
    variables = {one["name"]: one.get("value") for one in container(WORKER)["env"]}
    assert variables["SLA_MONITOR_SETTINGS"].endswith(f"/{SETTINGS.name}")
    assert str(Path(variables["SLA_MONITOR_SETTINGS"]).parent) in paths


async def test_the_probes_ask_for_pages_that_are_served_at_the_port_of_the_settings():
    server = WebServer(port=0, alive=lambda: (True, ""), ready=lambda: (True, ""), metrics=lambda _: (b"", ""))
    served = {resource.canonical for resource in server._runner.app.router.resources()}
    only = container(WORKER)
    ports = {port["name"]: port["containerPort"] for port in only["ports"]}
    for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        asked = only[probe]["httpGet"]
        assert asked["path"] == path
        assert path in served
        assert ports[asked["port"]] == load_settings(SETTINGS, SECRETS).web.port
    assert load_settings(SETTINGS, SECRETS).web.host == "0.0.0.0"


def test_the_pages_are_reached_where_they_listen_and_only_by_the_ingress():
    pod = PODS["Deployment", "sla-monitor-pages"]
    only, labels = container(pod), pod["metadata"]["labels"]
    variables = {one["name"]: one["value"] for one in only["env"] if "value" in one}
    port = load_settings(SETTINGS, SECRETS).pages.port
    assert (only["ports"], variables["SLA_MONITOR_PAGES_HOST"]) == (
        [{"name": "pages", "containerPort": port}],
        "0.0.0.0",
    )
    assert only["readinessProbe"]["httpGet"]["path"] == HEALTH
    assert BY_NAME["Service", "sla-monitor-pages"]["spec"]["selector"].items() <= labels.items()
    policy = BY_NAME["NetworkPolicy", "sla-monitor-pages"]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert [one["ports"] for one in policy["ingress"]] == [[{"protocol": "TCP", "port": "pages"}]]


def test_reports_are_written_into_a_volume_that_they_may_write_and_by_one_pod_at_a_time():
    deployment = BY_NAME["Deployment", "sla-monitor-reports"]
    pod = PODS["Deployment", "sla-monitor-reports"]
    only, spec = container(pod), pod["spec"]
    folder = only["args"][only["args"].index("--out") + 1]
    (mount,) = [one for one in only["volumeMounts"] if one["mountPath"] == folder]
    (volume,) = [one for one in spec["volumes"] if one["name"] == mount["name"]]
    assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in BY_NAME
    assert spec["securityContext"]["fsGroup"] == spec["securityContext"]["runAsGroup"]
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]) == (1, {"type": "Recreate"})
    heartbeat = only["args"][only["args"].index("--heartbeat") + 1]
    assert heartbeat in only["livenessProbe"]["exec"]["command"][-1]


def test_everything_that_selects_workers_selects_these_pods_and_no_job():
    labels = WORKER["metadata"]["labels"]
    selectors = [
        BY_NAME["StatefulSet", "sla-monitor"]["spec"]["selector"]["matchLabels"],
        BY_NAME["Service", "sla-monitor"]["spec"]["selector"],
        BY_NAME["PodDisruptionBudget", "sla-monitor"]["spec"]["selector"]["matchLabels"],
        BY_NAME["PodMonitor", "sla-monitor"]["spec"]["selector"]["matchLabels"],
        WORKER["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector.items() <= labels.items()
        for (kind, _), pod in PODS.items():
            if kind == "Job" or pod is PODS["Deployment", "sla-monitor-reports"]:
                assert not selector.items() <= pod["metadata"]["labels"].items()
    policy = BY_NAME["NetworkPolicy", "sla-monitor"]["spec"]["podSelector"]["matchLabels"]
    assert policy.items() <= labels.items()


def egress(policy: str) -> dict[frozenset[tuple[str, int]], list[dict[str, Any]]]:
    """Return where a policy lets pods go, by the ports."""
    spec = BY_NAME["NetworkPolicy", policy]["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    return {frozenset((one["protocol"], one["port"]) for one in rule["ports"]): rule["to"] for rule in spec["egress"]}


DNS = frozenset({("UDP", 53), ("TCP", 53)})
HTTPS = frozenset({("TCP", 443)})


def test_workers_reach_dns_kafka_and_receivers_and_nothing_else():
    host, _, port = load_settings(SETTINGS, SECRETS).bootstrap.rpartition(":")
    kafka = frozenset({("TCP", int(port))})
    reached = egress("sla-monitor")
    assert reached.keys() == {DNS, kafka, HTTPS}
    assert reached[kafka] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": host.partition(".")[2]}}}
    ]
    assert {one["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for one in reached[DNS][:1]} == {
        "kube-system"
    }
    for one in reached[HTTPS]:
        network = ip_network(one["ipBlock"]["cidr"])
        assert network.prefixlen == 0
        assert all(network.supernet_of(ip_network(inner)) for inner in one["ipBlock"]["except"])
    metadata = ip_address("169.254.169.254")
    (ipv4,) = [one["ipBlock"] for one in reached[HTTPS] if "." in one["ipBlock"]["cidr"]]
    assert any(metadata in ip_network(one) for one in ipv4["except"]), "it hands out the machine's credentials"


def test_jobs_and_reports_reach_dns_and_kafka_and_nobody_reaches_them():
    workers, jobs = egress("sla-monitor"), egress("sla-monitor-jobs")
    assert jobs == {ports: to for ports, to in workers.items() if ports != HTTPS}
    spec = BY_NAME["NetworkPolicy", "sla-monitor-jobs"]["spec"]
    assert "ingress" not in spec
    (chosen,) = spec["podSelector"]["matchExpressions"]
    labels = [PODS[name]["metadata"]["labels"] for name in PODS if name[0] == "Job" or name[1] == "sla-monitor-reports"]
    components = {one[chosen["key"]] for one in labels}
    assert (chosen["operator"], set(chosen["values"])) == ("In", components)


def test_a_worker_is_known_by_its_pods_name_and_has_time_to_stop():
    named = [one for one in container(WORKER)["env"] if one["name"] == "SLA_MONITOR_INSTANCE_ID"]
    assert named[0]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert WORKER["spec"]["terminationGracePeriodSeconds"] > 40


def test_scaling_follows_the_lag_of_every_topic_that_a_worker_reads():
    settings = load_settings(SETTINGS, SECRETS)
    scaled = BY_NAME["ScaledObject", "sla-monitor"]["spec"]
    topics = {one["metadata"]["topic"] for one in scaled["triggers"]}
    changelogs = {one.name for one in topic_plan(settings) if one.name.startswith(f"{settings.app_id}-")}
    assert {f"{settings.app_id}-{topic}-state" for topic in topics} == changelogs
    for trigger in scaled["triggers"]:
        assert trigger["type"] == "kafka"
        assert trigger["metadata"]["bootstrapServers"] == settings.bootstrap
        assert trigger["metadata"]["consumerGroup"] == settings.app_id
        assert ("TriggerAuthentication", trigger["authenticationRef"]["name"]) in BY_NAME
    assert scaled["maxReplicaCount"] <= settings.topics.partitions
    target = scaled["scaleTargetRef"]
    assert (target["kind"], target["name"]) in BY_NAME
    least = BY_NAME["StatefulSet", "sla-monitor"]["spec"]["replicas"]
    assert scaled["minReplicaCount"] == least > BY_NAME["PodDisruptionBudget", "sla-monitor"]["spec"]["maxUnavailable"]


def test_the_image_is_of_this_version():
    (image,) = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["images"]
    assert (image["name"], image["newTag"]) == ("sla-monitor", version("sla-monitor"))


@pytest.mark.build
@pytest.mark.parametrize("components", [(), COMPONENTS], ids=["base", "all"])
def test_kustomize_builds_it_with_and_without_the_components(components: tuple[str, ...], tmp_path: Path):
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    if components:  # switched on as the file says it
        file = tmp_path / "kustomization.yaml"
        assert f"# components: [{', '.join(components)}]" in file.read_text()
        file.write_text(file.read_text().replace("# components:", "components:"))
    built = subprocess.run(
        [go_tool(KUSTOMIZE), "build", str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert built.returncode == 0, built.stderr
    found = list(yaml.safe_load_all(built.stdout))
    kinds = {one["kind"] for one in found}
    assert {"ConfigMap", "StatefulSet", "Job", "Service", "PodDisruptionBudget", "NetworkPolicy"} <= kinds
    assert (kinds >= OF_OPERATORS) == bool(components)
    for one in found:
        if one["kind"] not in OF_OPERATORS:
            kubernetes_validate.validate(one, VERSIONS[-1], strict=True)
    (settings,) = [one for one in found if one["kind"] == "ConfigMap"]
    pods = [one["spec"]["template"] for one in found if "template" in one.get("spec", {})]
    assert len(pods) == (5 if components else 2)
    for pod in pods:
        assert {"name": settings["metadata"]["name"]} in [one.get("configMap") for one in pod["spec"]["volumes"]]
        assert container(pod)["image"] == f"sla-monitor:{version('sla-monitor')}"
