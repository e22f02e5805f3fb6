"""Read models: the contents of topics, for commands and for pages."""
