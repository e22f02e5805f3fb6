"""What a peer's module is given, and what it gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.benchmarks.peers.running import Ran
    from tests.benchmarks.peers.work import Outcome

Size = Literal["long", "usual", "short"]


class Place(NamedTuple):
    """A topic with the records of a job, and a tool's own names beside it."""

    bootstrap: str
    source: str
    events: int
    app_id: str
    late: str
    """The topic for late answers; it is there."""
    folder: Path
    """For state and logs; it is there."""
    python_peers: str | None
    """The interpreter that has the extra ``bench``, if one was named."""
    within_s: float


class Peer(NamedTuple):
    """A tool that is measured."""

    name: str
    size: Size
    does: str
    """What it does, where that is not the same as the others do, and how it is told that a job is done."""
    run: Callable[[Place], tuple[Ran, Outcome]]
    """Raises `UnavailableError` and `WrongError`."""
