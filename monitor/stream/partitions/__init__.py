"""Partitions: the worker, and the runner and the state of each partition, independent of the work done on it."""
