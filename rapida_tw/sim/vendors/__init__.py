"""Faithful fakes of speech and model vendors, strict about what the real ones reject."""
