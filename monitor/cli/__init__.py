"""The command line: ``sla-monitor``. Each command parses, calls what does the work, and prints.

Exit codes: 0 all is well, 1 it failed or found problems, 2 the command was used wrongly, 130 it was interrupted.
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
