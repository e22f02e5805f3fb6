"""Floor 1. Facts: events of the four subjects, and the ledger that keeps them in order."""
