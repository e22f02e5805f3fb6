"""Files and environment in, core objects out: all mistakes at once, with file, line and path."""
