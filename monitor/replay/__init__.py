"""Recorded data through the same core as live events: read, mapped, folded in event time, told."""
