"""Settings of the process: the file, environment variables, receivers and live sources."""
