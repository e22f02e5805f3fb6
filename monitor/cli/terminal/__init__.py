"""The terminal: output, options, progress, errors and the log."""
