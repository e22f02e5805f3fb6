"""On-call of a demonstration: whoever the agreements name is told here, and nobody is woken."""

from __future__ import annotations

from collections import Counter

from monitor.core.paging.notices import Notice, Outcome


class Pager:
    """A courier that takes every notice. ``pages`` counts, by receiver, the pages that began."""

    def __init__(self) -> None:
        self.pages: Counter[str] = Counter()

    def knows(self, receiver: str) -> bool:  # noqa: ARG002 - as the protocol has it
        """Return True: all are here."""
        return True

    def places(self, receiver: str) -> int:  # noqa: ARG002 - as the protocol has it
        """Return how many notices it takes at the same time."""
        return 4

    async def deliver(self, receiver: str, notice: Notice) -> Outcome:
        """Take a notice."""
        if notice.action == "trigger":
            self.pages[receiver] += 1
        return Outcome("delivered", 200, "taken by the demonstration")
