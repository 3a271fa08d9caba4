"""The HTTP side: one Klein tree."""
