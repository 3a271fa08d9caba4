"""Google's token server, as the fakes of its APIs have it: a signed wish for an access token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rapida_tw.sim.vendors.base import Asked, Reply

HOST = "oauth2.googleapis.com"
_PATH = "/token"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_EMAIL = "voice@rapida-test.iam.gserviceaccount.com"
_LASTS = 3_599  # seconds


class TokenServer:
    """`tokens`: those it has given, the newest last. `refusals`: statuses of its next answers."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65_537, 2048)
        self.tokens: list[str] = []
        self.refusals: list[int] = []

    def service_account(self, **changes: str) -> str:
        """The JSON file of an account that it knows."""
        pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        fields = {
            "type": "service_account",
            "project_id": "rapida-test",
            "private_key_id": "0123456789abcdef",
            "private_key": pem.decode(),
            "client_email": _EMAIL,
            "token_uri": f"https://{HOST}{_PATH}",
        }
        return json.dumps(fields | changes)

    def knows(self, headers: Mapping[str, str]) -> bool:
        """Whether a request shows the newest token."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        return kind == "Bearer" and token in self.tokens[-1:]

    def answer(self, asked: Asked, reply: Reply) -> None:
        """POST /token."""
        if self.refusals:
            reply.whole(self.refusals.pop(0), {"error": "internal_failure"})
            return
        complaint = self._complaint(asked)
        if complaint:
            body = {"error": "invalid_grant", "error_description": complaint}
            reply.whole(400, body)
            return
        self.tokens.append(f"ya29.token-of-a-test-{len(self.tokens)}")
        fields = {"access_token": self.tokens[-1], "expires_in": _LASTS, "token_type": "Bearer"}
        reply.whole(200, fields)

    def _complaint(self, asked: Asked) -> str:
        if (asked.method, asked.path) != ("POST", _PATH):
            return "there is only POST /token"
        if asked.headers.get("content-type") != "application/x-www-form-urlencoded":
            return "the content type must be a form's"
        form = parse_qs(asked.body.decode("latin-1"))
        if form.get("grant_type") != [_GRANT]:
            return "the grant type is not supported"
        try:
            claims: dict[str, Any] = jwt.decode(
                form.get("assertion", [""])[0],
                self._key.public_key(),
                ["RS256"],
                audience=f"https://{HOST}{_PATH}",
                # Time is the test's.
                options={"verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            return f"Invalid JWT Signature: {type(error).__name__}"
        if claims.get("iss") != _EMAIL:
            return "Invalid grant: account not found"
        if claims.get("scope") != _SCOPE:
            return "Invalid OAuth scope or ID token audience provided."
        if not 0 < claims.get("exp", 0) - claims.get("iat", 0) <= 3_600:
            return "Invalid JWT: Token must be a short-lived token (60 minutes)"
        return ""
