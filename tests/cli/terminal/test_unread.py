"""Output that nobody reads holds nothing up."""

from __future__ import annotations

import array
import fcntl
import io
import json
import os
import signal
import socket
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import IO
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from monitor.cli.terminal.patient import PatientStream, patient
from tests.cli.conftest import Kafka
from tests.cli.processes import process

PIPE = 4_096


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], of: Popen[str], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert of.poll() is None, "it has ended"
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def unread(pipe: IO[str]) -> int:
    """Return how many bytes wait in a pipe."""
    found = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, found)
    return found[0]


def page(port: int, path: str) -> tuple[int, str]:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, ""
    except OSError:
        return 0, ""


def total(port: int, metric: str) -> float:
    return sum(float(line.split()[-1]) for line in page(port, "/metrics")[1].splitlines() if line.startswith(metric))


def test_a_demonstration_that_nobody_reads_goes_on_announcing(tmp_path: Path, port: int):
    with process("demo", "--json", "--speed", "300", "--port", str(port), folder=tmp_path) as demo:
        fcntl.fcntl(demo.stdout, fcntl.F_SETPIPE_SZ, PIPE)
        # when the pipe is full
        until(lambda: unread(demo.stdout) > PIPE - 1_000 and page(port, "/readyz")[0] == 200, demo)
        told, events = total(port, "sla_alerts_total"), total(port, "sla_events_total")
        # then it goes on, and announces ten times what the pipe would hold
        until(lambda: total(port, "sla_alerts_total") > told + 200, demo)
        assert total(port, "sla_events_total") > events
        assert page(port, "/healthz")[0] == 200
        assert unread(demo.stdout) <= PIPE
        # and whoever begins to read gets whole lines, from the first one on
        demo.send_signal(signal.SIGTERM)
        out, err = demo.communicate(timeout=60)

    assert (demo.returncode, err) == (0, "")
    kinds = [json.loads(line)["kind"] for line in out.splitlines()]
    assert kinds[0] == "start"
    assert kinds[-1] == "summary"
    assert kinds.count("alert") > 200


def test_a_demonstration_that_nobody_reads_ends_when_it_is_asked_to(tmp_path: Path, port: int):
    with process("demo", "--json", "--speed", "300", "--port", str(port), folder=tmp_path) as demo:
        fcntl.fcntl(demo.stdout, fcntl.F_SETPIPE_SZ, PIPE)
        until(lambda: unread(demo.stdout) > PIPE - 1_000, demo)
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(timeout=60) == 0


@pytest.fixture
def pipe():
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, PIPE)
    yield read, write
    os.close(read)
    os.close(write)


def test_a_worker_whose_log_nobody_reads_works(kafka: Kafka, tmp_path: Path, port: int, pipe: tuple[int, int]):
    read, write = pipe
    os.write(write, b"x" * PIPE)  # it is full from the start on
    environment = {**kafka.environment, "SLA_MONITOR_WEB_PORT": str(port), "SLA_MONITOR_LOG_LEVEL": "debug"}
    worker = Popen(
        [sys.executable, "-m", "monitor", "worker", "--no-check"],
        stdout=DEVNULL, stderr=write, cwd=tmp_path, env={**os.environ, **environment}, text=True,
    )  # fmt: skip
    try:
        until(lambda: page(port, "/readyz")[0] == 200, worker)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 0
        assert os.read(read, 2 * PIPE) == b"x" * PIPE, "nothing else has found room"
    finally:
        worker.kill()
        worker.wait()


def test_what_is_too_much_is_left_out_from_the_oldest_on_and_counted(pipe):
    read, write = pipe
    stream = PatientStream(write, most=1_000, left_out=lambda lines: f"{lines} left out\n")
    stream.write("x" * PIPE)
    assert stream.drain(), "so much a pipe holds"
    lines = [f"{number:04} {'x' * 94}\n" for number in range(200)]
    for line in lines:
        assert stream.write(line) == len(line)

    assert not stream.drain(patience_s=0.2), "nobody reads"
    found = os.read(read, PIPE).decode()
    assert found == "x" * PIPE
    found = ""
    while lines[-1] not in found:
        found += os.read(read, PIPE).decode()

    told = found.splitlines(keepends=True)
    (place,) = [number for number, line in enumerate(told) if "left out" in line]
    # Before it is the one line that was being written, if any; after it the newest.
    assert place <= 1
    assert told[:place] == [lines[int(line[:4])] for line in told[:place]]
    assert told[place + 1 :] == lines[-10:]
    assert int(told[place].split()[0]) == len(lines) - 10 - place
    assert stream.drain()


def test_who_has_gone_is_noticed(pipe):
    _, write = pipe
    read, write = os.pipe()
    stream = PatientStream(write)
    os.close(read)
    stream.write("x")
    assert not stream.drain()
    with pytest.raises(BrokenPipeError):
        stream.write("y")
    os.close(write)


def test_a_pipe_that_another_process_made_impatient_is_written_to_all_the_same(pipe):
    read, write = pipe
    os.set_blocking(write, False)
    stream = PatientStream(write)
    stream.write("x" * 3 * PIPE)
    found = b""
    while len(found) < 3 * PIPE:
        found += os.read(read, PIPE)
    assert stream.drain()


def test_what_is_no_file_is_written_to_as_it_is():
    stream = io.StringIO()
    assert patient(stream) is stream
