"""Keeps credentials out of aiokafka's log: at the level debug it writes all requests, also that with the password."""

from __future__ import annotations

import logging
from typing import Final

from aiokafka.protocol.admin import (
    SaslAuthenticateRequest_v0,
    SaslAuthenticateRequest_v1,
    SaslAuthenticateResponse_v0,
    SaslAuthenticateResponse_v1,
)

_CREDENTIALS: Final = (
    SaslAuthenticateRequest_v0,
    SaslAuthenticateRequest_v1,
    SaslAuthenticateResponse_v0,
    SaslAuthenticateResponse_v1,
)


class WithoutCredentials(logging.Filter):
    """Replaces what holds credentials in a message by its name."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the credentials out of a record. Every record is written."""
        if isinstance(record.args, tuple) and any(isinstance(one, _CREDENTIALS) for one in record.args):
            record.args = tuple(type(one).__name__ if isinstance(one, _CREDENTIALS) else one for one in record.args)
        return True


def hide_credentials() -> None:
    """Have aiokafka's connections log no credentials, whichever handlers there are."""
    logger = logging.getLogger("aiokafka.conn")
    if not any(isinstance(one, WithoutCredentials) for one in logger.filters):
        logger.addFilter(WithoutCredentials())
