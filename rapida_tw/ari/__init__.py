"""Calls that an Asterisk places for us, by its REST interface (ARI) and the events it tells."""
