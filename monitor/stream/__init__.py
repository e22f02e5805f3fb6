"""Batch delivery, partition state and workers: everything that touches Kafka while events are judged."""
