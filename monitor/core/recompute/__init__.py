"""Floor 5. Recomputation: how verdicts differ from what was judged, and why."""
