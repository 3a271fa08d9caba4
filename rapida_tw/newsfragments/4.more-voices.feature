Voices of Deepgram (``deepgram``: Aura, and Flux by the name of its voices), Azure (``azure``, also ``azure-speech-service``), Sarvam (``sarvamai``) and Amazon Polly (``polly``, also ``aws``).
