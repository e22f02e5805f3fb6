"""Announced reports become files: each once, whole, for whom they are, under safe names."""

from __future__ import annotations

import asyncio
import csv
import re
from collections.abc import Iterator
from contextlib import aclosing, suppress
from pathlib import Path

import orjson
import pytest

from monitor.config.reading.yaml_file import parse_documents
from monitor.config.settings.settings import Settings, TopicSettings
from monitor.core.windows.reports import FinishedReport
from monitor.errors import ReportError
from monitor.installation import topic_plan
from monitor.read_model.topics import Outgoing, send_all
from monitor.reports.follower import path_of, write_announced
from monitor.stream.kafka.embedded import EmbeddedBroker
from monitor.wire.announcements import encode_statement
from monitor.wire.finished_reports import encode_report
from tests.replay.desk import ms
from tests.reports.desk import AGREEMENT, FORMULA, HOSTILE, replayed

FEBRUARY = FinishedReport(
    agreement="desk", version=1, window="month", period="2024-02", zone="Europe/Berlin", from_ms=ms("2024-01-31T23:00"),
    to_ms=ms("2024-02-29T23:00"), receiver="customer", statistics=("resolution",), reason="closed",
    as_of_ms=ms("2024-02-29T23:15"), due_ms=ms("2024-02-29T23:15"),
)  # fmt: skip
BOARD = FEBRUARY._replace(receiver="Service board")


class Installation:
    """Topics with what was stated of the desk, and those who are told."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.told: list[str] = []

    async def announce(self, *reports: FinishedReport) -> None:
        topic = self.settings.topics.reports
        await send_all(self.settings, [Outgoing(topic, *encode_report(one, "test")) for one in reports])

    async def write(self, folder: Path) -> list[str]:
        """Write what is announced so far, and return the names of the files."""
        writing = write_announced(self.settings, folder, ["csv"], self.told.append, follow=False)
        return [path.relative_to(folder).as_posix() async for one in writing for path in one.files]


@pytest.fixture
async def desk() -> Installation:
    text = AGREEMENT.replace("{to: customer, every", "{to: [customer, Service board], every")
    document = parse_documents(text.encode(), "desk.yaml", [])[0].data
    result, _ = replayed()
    settings = Settings(topics=TopicSettings(partitions=2))
    with EmbeddedBroker({spec.name: spec.partitions for spec in topic_plan(settings)}) as broker:
        found = settings.model_copy(update={"bootstrap": broker.bootstrap})
        await send_all(
            found,
            [
                Outgoing(found.topics.agreements, b"desk/1", orjson.dumps(document, default=str), partition=0),
                *(Outgoing(found.topics.statements, *encode_statement(one, "test")) for one in result.statements),
            ],
        )
        yield Installation(found)


def hidden_in(folder: Path) -> list[Path]:
    return list(folder.glob(".*"))


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


async def test_each_customer_gets_its_own_figures_and_the_board_all_that_it_may_see(desk: Installation, tmp_path: Path):
    await desk.announce(FEBRUARY, BOARD)
    files = await desk.write(tmp_path)

    assert len(files) == 4
    assert {"desk/2024-02-customer-acme.csv"} <= set(files)
    assert {one["series"] for one in rows(tmp_path / "desk" / "2024-02-customer-acme.csv")} == {"customer=acme"}
    [board] = [one for one in files if "board" in one.lower()]
    seen = list(rows(tmp_path / board))
    assert {one["measure"] for one in seen} == {"resolution"}, "the board has no right to the network"
    assert len({one["series"] for one in seen}) == 3
    assert desk.told == []


async def test_what_was_written_is_not_written_again_and_what_comes_later_gets_its_own_file(
    desk: Installation, tmp_path: Path
):
    await desk.announce(FEBRUARY)
    first = await desk.write(tmp_path)
    (tmp_path / first[0]).write_text("signed")
    (tmp_path / first[1]).unlink()

    assert await desk.write(tmp_path) == [first[1]], "the one that is missing"
    assert (tmp_path / first[0]).read_text() == "signed"

    await desk.announce(FEBRUARY._replace(reason="late", as_of_ms=ms("2024-03-03T08:00")))
    assert "desk/2024-02-customer-acme-20240303T080000.csv" in await desk.write(tmp_path)
    assert hidden_in(tmp_path / "desk") == [], "no parts are left"


async def test_a_follower_writes_a_report_when_it_is_announced(desk: Installation, tmp_path: Path):
    await desk.announce(BOARD)
    async with (
        asyncio.timeout(30),
        aclosing(write_announced(desk.settings, tmp_path, ["csv", "html"], desk.told.append, follow=True)) as writing,
    ):
        assert [one.suffix for one in (await anext(writing)).files] == [".csv", ".html"]
        await desk.announce(BOARD._replace(period="2024-01", from_ms=ms("2023-12-31T23:00")))
        assert (await anext(writing)).report.period.name == "2024-01"


async def test_a_follower_that_has_nothing_to_write_says_that_it_looks(desk: Installation, tmp_path: Path):
    """The health check of a container looks at it: a follower serves no port."""
    looks = asyncio.Semaphore(0)
    writing = write_announced(desk.settings, tmp_path, ["csv"], desk.told.append, follow=True, looked=looks.release)
    async with asyncio.timeout(30), aclosing(writing):
        following = asyncio.ensure_future(anext(writing))
        for _ in range(3):
            await looks.acquire()
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def test_what_cannot_be_reported_is_told_and_holds_up_nothing(desk: Installation, tmp_path: Path):
    await desk.announce(
        FEBRUARY._replace(receiver="auditor"), FEBRUARY._replace(period="2019-01"), FEBRUARY._replace(agreement="gone"),
        BOARD,
    )  # fmt: skip
    await send_all(desk.settings, [Outgoing(desk.settings.topics.reports, b"x", b"{}")])
    assert len(await desk.write(tmp_path)) == 1
    assert sorted(one.partition(":")[0] for one in desk.told) == [
        "a record of reports announces no report",
        "no report of 2019-01 for customer",
        "no report of 2024-02 for auditor",
        "no report of 2024-02 for customer",
    ]


async def test_a_folder_that_cannot_be_written_is_said(desk: Installation, tmp_path: Path):
    (tmp_path / "desk").write_text("a file where the folder of the agreement belongs")
    await desk.announce(BOARD)
    with pytest.raises(ReportError, match=r"desk/2024-02-.*csv cannot be written: "):
        await desk.write(tmp_path)


@pytest.mark.parametrize(
    "name", [HOSTILE, FORMULA, "../../etc", ".", "..", "a/b", "a\\b", "\xe9", "x" * 300, "\0", "CON\n", "\ud800", ""]
)
def test_no_name_of_a_customer_leaves_the_folder(name: str, tmp_path: Path):
    path = path_of(tmp_path, FEBRUARY, name, "pdf")
    assert path.parent == tmp_path / "desk"
    assert re.fullmatch(r"2024-02-customer[\w.-]*\.pdf", path.name, re.ASCII)
    assert len(path.name) < 110


def test_no_name_of_a_customer_meets_anothers(tmp_path: Path):
    ahead = path_of(tmp_path, FEBRUARY, "a/b", "pdf").stem.removeprefix("2024-02-customer-")
    names = ["a/b", "a_b", "a\\b", ahead, "x" * 300, "x" * 301]
    assert len({path_of(tmp_path, FEBRUARY, one, "pdf") for one in names}) == len(names)
