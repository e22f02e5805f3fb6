"""Streaming monitor of service level agreements on tickets, calls, outages and sales leads."""
