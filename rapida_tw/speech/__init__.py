"""Recognisers, voices and voice activity: one file a vendor."""
