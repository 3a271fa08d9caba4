Voices that tell when each word is spoken are believed: what an interrupted reply leaves in the history is cut at the word.
