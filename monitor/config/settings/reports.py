"""Settings of the files that `sla-monitor report --follow` makes of announced reports."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from monitor.config.reading.shape import Shape, Text


class ReportSettings(Shape):
    """Where announced reports are written, and in which forms."""

    folder: Text | None = Field(default=None, description="Folder into which report --follow writes announced reports.")
    formats: list[Literal["html", "pdf", "csv", "xlsx"]] = Field(
        default_factory=list, description="Forms in which it writes each of them; none named: pdf."
    )
