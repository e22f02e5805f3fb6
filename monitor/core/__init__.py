"""The pure core: integer milliseconds, time handed in, no I/O, no clock, no logging."""
