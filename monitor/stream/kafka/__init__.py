"""Kafka: batches, connections, topics, rights, the reader of compacted topics, the embedded broker."""
