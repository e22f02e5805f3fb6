"""The metrics for Prometheus: the catalogue of all metrics, and their exporter."""
