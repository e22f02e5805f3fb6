"""A settings file to start from: every setting with its meaning, its variable and its default, all commented out."""

from __future__ import annotations

from textwrap import wrap
from typing import Final

import orjson

from monitor.config.settings.settings import Setting, catalogue, shown_value

WIDTH: Final = 110

HEAD: Final = """\
# Settings of sla-monitor, each at its default. To change one take its "#" away, and that of its section (#topics:).
# Variables of the environment come before this file; each setting names its own.
# What holds, and where it comes from: sla-monitor settings --settings FILE
"""


def commented_settings() -> str:
    """Return the text of the file. Words have one space behind their ``#``, settings none or more."""
    lines = [HEAD]
    section: tuple[str, ...] = ()
    for setting in catalogue():
        here = setting.path[:-1]
        if here != section:
            lines += ["", f"#{here[0]}:"] if here else [""]
            section = here
        indent = "  " * len(here)
        variable = f" ({setting.variable})" if setting.variable else ""
        told = wrap(setting.description.rstrip(".") + variable, WIDTH - len(indent))
        lines += [f"#{indent}# {line}" if indent else f"# {line}" for line in told]
        lines.append(f"#{indent}{setting.path[-1]}: {_yaml(setting)}")
    return "\n".join(lines) + "\n"


def _yaml(setting: Setting) -> str:
    if setting.value is None:
        return "null"
    if isinstance(setting.value, list | dict):
        return orjson.dumps(setting.value).decode()
    return shown_value(setting)
