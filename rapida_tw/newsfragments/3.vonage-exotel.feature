Inbound calls of Vonage and Exotel. Vonage's signed webhooks are verified where the credential holds
the signature secret; whether Exotel sends PCM16 or µ-law is found out and logged.
