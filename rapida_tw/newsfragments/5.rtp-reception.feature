What comes by RTP is heard without a standing delay: packets in order at once, lost and silent time told apart, one digit a
key press whatever of it is lost, and media only from addresses that the signalling vouches for.
