"""Text instead of a call: conversations in writing with the same assistants."""
