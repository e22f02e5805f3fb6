"""A kind of receiver: what its module tells the registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from monitor.config.receivers.base import ReceiverSettings
from monitor.config.receivers.requests import Answer, Request, Sender
from monitor.core.paging.notices import Notice, OutcomeKind

Settings = TypeVar("Settings", bound=ReceiverSettings)

Reading = Callable[[Answer], OutcomeKind]
"""Decides whether a 2xx answer means that the service took the notice."""


def is_delivered(_answer: Answer) -> OutcomeKind:
    """Read a 2xx answer of a service that has no other sign of success."""
    return "delivered"


class Kind(NamedTuple, Generic[Settings]):
    """One kind of receiver."""

    settings: type[Settings]
    """The model of its settings. Its field ``kind`` is a literal: the name of the kind."""

    requests: Callable[[Settings, Notice, Sender, int], tuple[Request, ...]]
    """Makes the requests that tell one notice, to be sent one after the other. The number is the instant of the
    attempt."""

    max_body: int | None
    """The size limit: no body has more bytes. None, if a notice must not be shortened."""

    reading: Reading = is_delivered
    """Decides whether a 2xx answer means that the service took the notice."""
