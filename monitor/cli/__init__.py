"""The command line: ``sla-monitor``. Each command parses, calls the function that does the work, and prints.

The meaning of its exit codes stands in `monitor.cli.terminal.failing.EXIT_CODES`, and in ``sla-monitor --help``.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line as the process."""
    try:
        # Here, because it takes a second: a Ctrl-C meanwhile must not end in a traceback.
        from monitor.cli.root import root  # noqa: PLC0415

        root(prog_name="sla-monitor")
    except KeyboardInterrupt:
        sys.exit(130)
