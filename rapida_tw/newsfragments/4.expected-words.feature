What a reply expects to hear (`Expectation.phrases`) is told to Deepgram and AssemblyAI: with the
connection, and in the middle of the call.
