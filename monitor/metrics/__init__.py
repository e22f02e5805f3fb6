"""What Prometheus is told: the catalogue of all metrics and their exporter."""
