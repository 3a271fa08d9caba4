"""Other servers under the same load, for contrast; each in an environment of its own."""
