import pytest

from monitor.stream.kafka import pace


@pytest.fixture(autouse=True, scope="module")
def unhurried():
    """No work pauses by the clock: else a tick would end now here and now there, and commits could not be compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "HOLD_S", 3_600.0)
        yield
