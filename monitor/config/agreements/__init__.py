"""Agreement files: their format, and the core's agreements that are built from them."""
