"""A picture of a demonstration's screen as SVG, for documents."""

from __future__ import annotations

import io
import re
from typing import Final

from rich.console import Console

from monitor.demo.screen import render_screen
from monitor.demo.view import DemoView

_REMOTE_FONT: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def picture(view: DemoView, *, height: int = 44, width: int = 140) -> str:
    """Return a moment of a demonstration, as a terminal of that size shows it."""
    console = Console(
        record=True, file=io.StringIO(), width=width, height=height, force_terminal=True, color_system="truecolor"
    )
    console.print(render_screen(view, height, width))
    # A document that is read offline must not fetch fonts.
    return _REMOTE_FONT.sub("", console.export_svg(title="sla-monitor demo"))
