"""Instants on the command line."""

from __future__ import annotations

import click

from monitor.wire.instants import parse_rfc3339


class Instant(click.ParamType):
    """RFC 3339 with an offset: milliseconds."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the milliseconds since the epoch."""
        if isinstance(value, int):
            return value
        try:
            found = parse_rfc3339(str(value))
        except ValueError:
            found = None
        if found is None:
            self.fail("write it like 2026-03-02T12:00:00Z or 2026-03-02T13:00:00+01:00", param, ctx)
        return found
