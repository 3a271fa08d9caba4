The neural voice detector runs for all calls together in a thread of its own: with 200 calls, its model costs the reactor next to nothing.
