"""Partitions: the worker, the runner and the state of each partition, whatever is worked on in it."""
