"""Floor 1. Alerts: what is announced of a clock or an objective, and the stretches told with it."""
