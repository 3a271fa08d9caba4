Voices of Deepgram (``deepgram``: Aura, and Flux by the name of its voices) and Azure (``azure``, also ``azure-speech-service``).
