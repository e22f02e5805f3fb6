"""The web pages: a read-only process that shows agreements, alerts and statements to whoever is not at a terminal."""
