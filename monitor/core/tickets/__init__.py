"""Floor 4. Tickets that are counted: opened, reopened, handed over, and their figures."""
