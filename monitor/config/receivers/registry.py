"""The registry: every kind of receiver, as found in `monitor.config.receivers.kinds`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, Union

from pydantic import Field

from monitor.config.receivers import kinds
from monitor.config.receivers.kind import Kind, Reading
from monitor.config.receivers.requests import Request, Sender
from monitor.core.paging.notices import Notice

if TYPE_CHECKING:
    from monitor.config.receivers.base import ReceiverSettings


def _found() -> dict[str, Kind[Any]]:
    """Return the kind of each module, by its name. A module without a ``KIND`` is an error at import."""
    names = sorted(one.name for one in iter_modules(kinds.__path__))
    return {name: import_module(f"{kinds.__name__}.{name}").KIND for name in names}


KINDS: Final = _found()
"""Every kind by its name, which is the name of its module and the ``kind`` of its settings."""

if TYPE_CHECKING:
    Receiver: TypeAlias = ReceiverSettings
else:
    # The union cannot be written out: its members are whatever modules there are.
    Receiver = Annotated[
        Union[tuple(one.settings for one in KINDS.values())],  # noqa: UP007 - made of a tuple
        Field(discriminator="kind"),
    ]


def requests_for(receiver: Receiver, notice: Notice, sender: Sender, now_ms: int) -> tuple[Request, ...]:
    """Return the requests that tell a notice to a receiver, one after the other; now is the instant of the attempt."""
    return KINDS[receiver.kind].requests(receiver, notice, sender, now_ms)


def reading_of(receiver: Receiver) -> Reading:
    """Return the function that decides whether a 2xx answer of a receiver means delivered."""
    return KINDS[receiver.kind].reading
