"""Mapping files: their format, and what `monitor.wire.mapping` applies."""
