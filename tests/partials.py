"""Records of the partials topic, as a source partition writes them."""

from __future__ import annotations

from monitor.core.series.series import Pane, PaneKey, encode_pane_key
from monitor.wire import partials
from monitor.wire.rows import SOURCE_ROWS


def encode_partial(source: str, key: PaneKey, pane: Pane | None) -> tuple[bytes, bytes | None]:
    """Return key and value of the record of a pane; without a pane, of one that has expired."""
    row_key = encode_pane_key(key)
    return partials.encode_partial(source, row_key, None if pane is None else SOURCE_ROWS.encode(row_key, pane))
