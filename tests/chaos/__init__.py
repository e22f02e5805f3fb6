"""Chaos as a program (``python -m tests.chaos``): rounds of random faults under load, judged by an oracle."""
