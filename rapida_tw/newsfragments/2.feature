The first call: Asterisk connects it over AudioSocket, a local assistant answers it, ``make demo``
shows it.
