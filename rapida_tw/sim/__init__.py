"""The carrier farm: fakes of every far side, sharing no code with the server's codecs."""
