"""What is known from the topics, read into a model: for commands and for pages."""
