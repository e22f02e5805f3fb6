"""How much work is done between two pauses: counted in lines of the program that run, whatever the machine does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

MOST_LINES = 60_000
"""So many lines take 5 to 15 ms: what is asked for (50 ms) leaves room for what lines do in C."""
_PROGRAM = str(Path(__file__).parents[1] / "monitor")


class Stretches(NamedTuple):
    """Lines that ran without a pause, at most, and in all; the pauses; what was made."""

    longest: int
    lines: int
    pauses: int
    made: object


def stretches(pieces):
    """Do work in pieces to its end."""
    count, found = 0, []

    def lines(_frame, event, _arg):
        nonlocal count
        count += event == "line"
        return lines

    def calls(frame, _event, _arg):
        return lines if frame.f_code.co_filename.startswith(_PROGRAM) else None

    before = sys.gettrace()
    made = None
    while True:
        count = 0
        sys.settrace(calls)
        try:
            next(pieces)
        except StopIteration as end:
            made = end.value
            break
        finally:
            sys.settrace(before)
            found.append(count)
    return Stretches(max(found), sum(found), len(found) - 1, made)
