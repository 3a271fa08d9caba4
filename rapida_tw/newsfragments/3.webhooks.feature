Carriers' webhooks are let in by an API key or by the carrier's signature, are the same call when they come
twice, and their status callbacks find the call by its names, also after a restart.
