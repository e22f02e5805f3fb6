"""Agents: the work on each kind of topic, and the read models that it needs."""
