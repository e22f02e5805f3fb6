"""Floor 5. Recomputation: the differences between verdicts as judged and as recomputed, and their causes."""
