"""Floor 1. Time: spans and their algebra, opening hours, business days, calendar periods, windows."""
