"""Agents: the work on each kind of topic, and the read models that this work needs."""
