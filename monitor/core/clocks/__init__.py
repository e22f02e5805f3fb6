"""Floor 4. Clocks: the time of one promise on one subject."""
