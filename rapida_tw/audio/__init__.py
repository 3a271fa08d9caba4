"""Audio as numpy arrays: formats, rates, voice activity, files. Knows no socket and no clock."""
