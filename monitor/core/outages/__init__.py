"""Floor 4. Outages: downtime, interrupted customers, composite services, silence and their figures."""
