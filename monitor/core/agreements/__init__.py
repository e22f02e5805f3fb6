"""Floor 2. Agreements: what is promised, by whom, to whom, in which version and on which level."""
