Models that hear, think and speak by themselves take the whole call: ``openai-realtime`` and
``gemini-live``. An interruption is told to the model at the millisecond that the caller heard last,
tools run beside the dialogue, and a lost connection is replaced in mid-call.
