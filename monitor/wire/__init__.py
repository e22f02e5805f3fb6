"""Bytes on topics and in changelogs <-> objects of the core."""
