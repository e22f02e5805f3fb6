"""Kafka: batches, connections, topics, rights, compacted topics read whole, the embedded broker."""
