"""Settings of the web pages: where they are served, and how much they keep and let readers take."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from monitor.config.reading.shape import Shape, Text
from monitor.config.settings.web import Port


class PagesSettings(Shape):
    """Where `sla-monitor web` serves its pages, and its limits."""

    host: Text = Field(default="127.0.0.1", description="Address that the pages are served on: this machine only.")
    port: Port = Field(default=6080, description="Port of the pages; 0 takes a free one.")
    max_connections: Annotated[int, Field(ge=2, le=10_000)] = Field(
        default=256, description="Connections to the pages at once; more are refused with 503."
    )
    max_streams: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=100, description="Pages that are kept live at once; more are told to ask again later."
    )
    keep_alerts: Annotated[int, Field(ge=100, le=1_000_000)] = Field(
        default=20_000, description="Alerts that the pages keep in memory, the newest ones."
    )
    keep_statements: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=36, description="Statements of each series and window that the pages keep in memory."
    )
