"""Files that commands write: tried before the work, so that an hour of it does not end in "no such folder"."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile

import click


def try_places(files: Iterable[tuple[str, Path | None]]) -> None:
    """Try whether files, each given with its option, can be written; nothing is changed.

    Raises:
        click.BadParameter: one cannot, with the reason.
    """
    for option, path in files:
        if path is None or path == Path("-"):
            continue
        try:
            if path.exists():
                with path.open("ab"):
                    pass
            else:
                with TemporaryFile(dir=path.parent):
                    pass
        except OSError as error:
            reason = error.strerror or str(error)
            raise click.BadParameter(f"{path} cannot be written: {reason}", param_hint=option) from None
