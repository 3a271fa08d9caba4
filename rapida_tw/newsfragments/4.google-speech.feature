The recogniser `google-speech-service`: Google Speech-to-Text v2 by gRPC, with a service account or an API key, in streams that are renewed without losing a word.
