"""Thin Twisted shells that make a Leg of a socket."""
