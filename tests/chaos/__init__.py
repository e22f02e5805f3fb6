"""Chaos as a program: ``python -m tests.chaos``. Rounds of random faults under load, judged by an independent oracle."""
