`rapida doctor --vendor NAME` tries a vendor with its stored credential, as a recogniser, a voice and a model, and tells how long each step takes.
