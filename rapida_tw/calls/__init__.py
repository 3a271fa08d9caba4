"""A call's identity, life, memory, and the register of all calls."""
