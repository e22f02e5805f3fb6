"""One module a command. No command imports another."""
