"""Hostile records of every topic, against a worker's own processors. ``python -m tests.fuzz --inputs N``."""
