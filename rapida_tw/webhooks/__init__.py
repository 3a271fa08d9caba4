"""Assistants' webhooks: what happens to a call is told to its assistant's owner, by HTTP."""
