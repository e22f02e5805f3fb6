"""Floor 4. Calls: queueing, handling, repeat calls and their figures."""
