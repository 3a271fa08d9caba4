"""Recognisers that vendors offer: one file each, on the shells of this package."""
