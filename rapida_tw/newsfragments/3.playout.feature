Carriers that buffer are asked by marks what they have played: history, transcript and recording
hold what the caller heard, and an interruption empties the carrier's buffer.
