Greetings, fillers and apologies are kept and spoken before they are needed, and nobody hears four
seconds of silence when a reply is owed: where the voice is what is slow, there is a tone.
