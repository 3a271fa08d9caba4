"""The media plane: plain method calls, heard on arrival, spoken on the beat."""
