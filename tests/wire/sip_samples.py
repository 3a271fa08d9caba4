"""SIP messages that tests begin with."""

from __future__ import annotations

INVITE = (
    b"INVITE sip:15551234567@203.0.113.10:5090 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.5:5060;rport;branch=z9hG4bKPj95ed\r\n"
    b"Via: SIP/2.0/TCP 10.0.0.6, SIP/2.0/UDP 10.0.0.7\r\n"
    b'From: "Bob" <sip:+15550001111@10.0.0.5>;tag=147a\r\n'
    b"To: <sip:15551234567@203.0.113.10>\r\n"
    b"Contact: <sip:asterisk@10.0.0.5:5060>\r\n"
    b"Call-ID: 9bf1@10.0.0.5\r\n"
    b"CSeq: 28856 INVITE\r\n"
    b"Record-Route: <sip:10.0.0.6;lr>, <sip:10.0.0.7;lr>\r\n"
    b"Supported: 100rel, timer\r\n"
    b"k: replaces;x=1, Timer\r\n"
    b"Timestamp: 54\r\n"
    b"Max-Forwards: 70\r\n"
    b"Content-Type: Application/SDP;charset=x\r\n"
    b"Content-Length: 4\r\n"
    b"\r\n"
    b"v=0\n"
)
ANSWERED = INVITE.replace(b"INVITE sip:15551234567@203.0.113.10:5090 SIP/2.0", b"SIP/2.0 200 OK")
