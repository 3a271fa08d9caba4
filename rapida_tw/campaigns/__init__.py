"""Calls that wait for their turn: campaigns, and many calls of one request."""
