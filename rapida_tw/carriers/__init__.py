"""Carriers: their documents, events and media messages; one file each."""
