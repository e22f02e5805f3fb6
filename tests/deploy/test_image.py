"""The image: built from the Dockerfile with buildah on a Debian made with debootstrap, and run as Docker would run it.

It takes minutes the first time and root; only ``pytest -m build`` runs it. Debian's own Rust is too old for the native
package: the base that builds it has the toolchain of this machine. Where there is none, the image is built without.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.stack import ROOT
from tests.kafka.broker import cache_folder, free_port

pytestmark = pytest.mark.build

FILE = ROOT / "deploy" / "Dockerfile"
SUITE = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
LINKER = "gcc,libc6-dev,ca-certificates"
TOOLCHAIN = ("bin/cargo", "bin/rustc", "lib")
"""What of a Rust toolchain builds a crate: neither documents nor other programs."""
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
LARGEST_MB = 150
"""What the program with all its dependencies may add to the base."""

PATIENCE_S = 180
"""A command takes a second on a free machine, and a minute on one with ten times as much to do."""

RUN_READ_ONLY = """\
set -e
root=$1; shift
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
exec chroot --userspec="$IMAGE_USER" "$root" "$@"
"""
"""What `docker run --read-only --tmpfs /tmp` does, as far as it matters here."""


class Buildah:
    """buildah with a store of its own, in a sandbox that may do little: no overlay, no namespaces."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str | Path, check: bool = True) -> str:
        done = subprocess.run(
            ["buildah", "--storage-driver", "vfs", "--root", str(self.folder / "store"),
             "--runroot", str(self.folder / "run"), *map(str, arguments)],
            capture_output=True, text=True, timeout=1200, check=False,
            env={**os.environ, "BUILDAH_ISOLATION": "chroot"},
        )  # fmt: skip
        assert not check or done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        return done.stdout.strip()


def debian(name: str, packages: str) -> Path:
    """The root of a Debian with these packages, as an archive."""
    archive = cache_folder() / f"{SUITE}-{name}.tar"
    if not archive.exists():
        cache_folder().mkdir(parents=True, exist_ok=True)
        root = cache_folder() / f"{SUITE}-{os.getpid()}"
        try:
            made = subprocess.run(
                ["debootstrap", "--variant=minbase", f"--include={packages}", SUITE, str(root)],
                capture_output=True, text=True, timeout=600, check=False,
            )  # fmt: skip
            if made.returncode:
                pytest.skip(f"debootstrap cannot make a Debian here: {made.stdout[-300:]}")
            subprocess.run(["tar", "-C", str(root), "-cf", f"{archive}.new", "."], check=True)
            Path(f"{archive}.new").rename(archive)
        finally:
            shutil.rmtree(root, ignore_errors=True)
    return archive


def base(buildah: Buildah, name: str, packages: str, *files: tuple[Path, str], **variables: str) -> str:
    """Make a base image of a Debian, with files and variables of its own; return its name."""
    container = buildah("from", "scratch")
    buildah("add", "-q", container, debian(name, packages), "/")
    for source, target in files:
        buildah("copy", "-q", container, source, target)
    if CERTIFICATES.exists():  # where a proxy of the house stands before the packages
        buildah("copy", "-q", container, CERTIFICATES, CERTIFICATES)
        buildah("config", "--env", f"PIP_CERT={CERTIFICATES}", "--env", f"CARGO_HTTP_CAINFO={CERTIFICATES}", container)
    for variable, value in variables.items():
        buildah("config", "--env", f"{variable}={value}", container)
    buildah("commit", "-q", "--rm", container, f"localhost/{name}")
    return f"localhost/{name}"


def rust(buildah: Buildah) -> str | None:
    """Make a base with this machine's Rust; return its name, or None where there is none."""
    if shutil.which("rustc") is None:
        return None
    toolchain = Path(
        subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True).stdout.strip()
    )
    files = [(toolchain / name, f"/opt/rust/{name}") for name in TOOLCHAIN]
    return base(buildah, "rust", LINKER, *files, PATH="/opt/rust/bin:/usr/local/bin:/usr/bin:/bin", HOME="/root")


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    for program in ("buildah", "debootstrap", "unshare"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}")
    if os.geteuid() != 0:
        pytest.skip("only root can make a base image with debootstrap")
    folder = tmp_path_factory.mktemp("buildah")
    yield Buildah(folder)
    shutil.rmtree(folder, ignore_errors=True)  # pytest keeps three; this is half a gigabyte


@pytest.fixture(scope="module")
def build(buildah: Buildah) -> Callable[..., str]:
    """Builds the Dockerfile on our bases, with further arguments; returns the image's name."""
    with_rust = rust(buildah)
    # Debian's buildah finds a stage by a variable in its name only if that is told, not by its default.
    native = {"NATIVE": "0"} if with_rust is None else {"NATIVE": "1", "RUST": with_rust}
    arguments = {"BASE": base(buildah, "python", PACKAGES), **native}

    def made(name: str, *options: str, **others: str) -> str:
        buildah(
            "build", "--isolation", "chroot", "--format", "docker",
            *(each for one in (arguments | others).items() for each in ("--build-arg", "=".join(one))),
            *options, "--ignorefile", ROOT / ".dockerignore", "-f", FILE, "-t", f"localhost/{name}", ROOT,
        )  # fmt: skip
        return f"localhost/{name}"

    return made


@pytest.fixture(scope="module")
def image(build: Callable[..., str]) -> str:
    """The built image."""
    return build("sla-monitor")


@pytest.fixture(scope="module")
def config(buildah: Buildah, image: str) -> dict[str, Any]:
    return json.loads(buildah("inspect", "--type", "image", image))["Docker"]["config"]


@pytest.fixture(scope="module")
def root(buildah: Buildah, image: str) -> Path:
    """The image's file system."""
    return Path(buildah("mount", buildah("from", image)))


@contextmanager
def running(root: Path, config: dict[str, Any], *arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    environment = dict(one.split("=", 1) for one in config["Env"]) | variables
    started = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", RUN_READ_ONLY, "sh", str(root), *config["Entrypoint"], *arguments],
        env={**environment, "IMAGE_USER": config["User"], "PATH": f"{environment['PATH']}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


def outcome(root: Path, config: dict[str, Any], *arguments: str, **variables: str) -> tuple[int, str]:
    with running(root, config, *arguments, **variables) as started:
        out, err = started.communicate(timeout=PATIENCE_S)
        return started.returncode, out + err


def test_it_says_how_it_is_run(config: dict[str, Any]):
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["sla-monitor"]
    assert config["Cmd"] == ["worker"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Healthcheck"]["Test"] == ["CMD", "sla-monitor", "health"]


def test_it_is_small_and_holds_neither_tests_nor_tools(root: Path):
    program = root / "opt" / "sla-monitor"
    size = sum(file.stat().st_size for file in program.rglob("*") if file.is_file() and not file.is_symlink())
    assert size < LARGEST_MB << 20
    packages = {file.name for file in next(program.glob("lib/python3*/site-packages")).iterdir()}
    assert {"monitor", "faust"} <= packages
    assert not {"tests", "pytest", "pip", "setuptools", "mypy"} & packages
    assert not (root / "src").exists()
    assert not (root / "wheels").exists()


@pytest.mark.skipif(shutil.which("rustc") is None, reason="there is no Rust to build the native package with")
def test_it_holds_the_native_package_and_no_compiler(root: Path, config: dict[str, Any]):
    (packages,) = (root / "opt" / "sla-monitor").glob("lib/python3*/site-packages")
    assert (packages / "sla_monitor_native").is_dir()
    assert [
        file.name for file in (root / "opt" / "sla-monitor").rglob("*") if file.name in ("cargo", "rustc", "maturin")
    ] == []
    asked = "import sla_monitor_native; print(sla_monitor_native.__version__)"
    with_python = config | {"Entrypoint": ["/opt/sla-monitor/bin/python"]}
    assert outcome(root, with_python, "-c", asked) == (0, "0.1.0\n")


def test_without_the_native_package_no_wheel_is_built(buildah: Buildah, build: Callable[..., str]):
    image = build("native", "--target", "native", NATIVE="0", RUST="localhost/there-is-none")

    root = Path(buildah("mount", buildah("from", image)))
    assert list((root / "wheels").iterdir()) == []


def test_it_works_as_nobody_on_a_read_only_root_and_its_health_check_tells(root: Path, config: dict[str, Any]):
    port = free_port()
    health = config["Healthcheck"]["Test"][2:]
    settings = {"SLA_MONITOR_WEB_PORT": str(port)}
    assert outcome(root, config, *health, **settings)[0] == 1, "nobody is there yet"

    # The demonstration is a worker, a broker and traffic in one process: no Kafka is needed to see it work.
    with running(root, config, "demo", "--json", "--port", str(port)) as demo:
        assert json.loads(demo.stdout.readline())["kind"] == "start"
        threading.Thread(target=demo.stdout.read, daemon=True).start()  # a pipe without a reader would fill up
        deadline = time.monotonic() + PATIENCE_S
        while outcome(root, config, *health, "--ready", **settings)[0]:
            assert demo.poll() is None
            assert time.monotonic() < deadline
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(timeout=PATIENCE_S) == 0
        assert demo.stderr.read() == ""


def test_it_cannot_write_anywhere_but_tmp(root: Path, config: dict[str, Any]):
    code, said = outcome(root, config, "demo", "--for", "1", "--picture", "/opt/sla-monitor/picture.svg")
    assert code != 0
    assert "not writable" in said or "Read-only" in said
