Recognisers, voices and models stand in for each other: when one fails or lets the caller wait, the
next goes on where it was, new calls begin with a healthy one, and the sick are tried again by one.
