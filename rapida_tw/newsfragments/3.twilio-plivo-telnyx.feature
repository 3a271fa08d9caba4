Inbound calls of Twilio, Plivo and Telnyx: their webhooks are answered with XML that opens a media WebSocket, their signatures are verified, and an assistant that cannot answer says so.
