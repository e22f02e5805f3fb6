"""Floor 1. Alerts: the announcements about a clock or an objective, and the stretches of time sent with them."""
