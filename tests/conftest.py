"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# A shared machine may pause a test for longer than Hypothesis' 200 ms; a law is not about time.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
