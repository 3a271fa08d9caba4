"""The SIP user agent: what happens between the messages of wire/ and the calls of calls/."""
