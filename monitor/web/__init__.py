"""The HTTP server of a worker: /healthz, /readyz, /metrics and nothing else."""
