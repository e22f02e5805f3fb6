"""Floor 2. Agreements: the promises of a provider to a customer, with their versions and levels."""
