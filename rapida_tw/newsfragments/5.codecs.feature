L16, G.722 and, where the system has libopus, Opus: a call is wideband from end to end. Audio that was
lost on the way is concealed, and pauses in it keep their length.
