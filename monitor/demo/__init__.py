"""The demonstration: simulated traffic, and a screen that shows promises, alerts and figures."""
