"""How many calls one core holds, and how fast: `make bench`."""
