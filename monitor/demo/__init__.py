"""The demonstration: simulated traffic, and a screen that shows what becomes of it."""
