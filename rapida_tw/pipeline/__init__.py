"""The conversation plane: events and Deferreds."""
