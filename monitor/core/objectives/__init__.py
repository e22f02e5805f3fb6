"""Floor 4. Objectives: verdicts, error budgets, consequences and credits."""
