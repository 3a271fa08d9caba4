Phones and trunks call an assistant over SIP: by ``sip:{assistant}:{key}@host``, by Digest (MD5 and
SHA-256) with the assistant's id as user name, or from a trusted network by the number that was
dialled; over UDP, TCP and TLS, IPv4 and IPv6. Scanners and floods are dropped before they are read.
