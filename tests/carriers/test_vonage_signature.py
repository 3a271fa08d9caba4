"""Who may say to be Vonage: a vector, each claim, and Vonage's own library as the other opinion."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt import api_jws as jws
from twisted.trial.unittest import SynchronousTestCase
from vonage_jwt import JwtClient, verify_signature

from rapida_tw.carriers.base import WebhookRequest
from rapida_tw.carriers.vonage import VONAGE
from rapida_tw.errors import Forged

DATA = Path(__file__).parents[1] / "data" / "vonage"
BODY = (DATA / "answered.json").read_bytes()
TOKEN = (DATA / "answered.jwt").read_text("ascii")
SECRET = "test-signature-secret-0123456789abcdef"
APPLICATION = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
SECRETS = {"signature_secret": SECRET, "application_id": APPLICATION}
MADE = 1767323045.0
CLAIMS = {
    "iat": int(MADE),
    "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
    "iss": "Vonage",
    "payload_hash": sha256(BODY).hexdigest(),
    "api_key": "a1b2c3d4",
    "application_id": APPLICATION,
}
URL = "https://voice.example/v1/talk/vonage/ctx/1/event"
SOCKET = "wss://voice.example/v1/talk/vonage/ctx/1"


def signed(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    """A token of the vector's claims with changes; None takes a claim away."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return jws.encode(json.dumps(claims).encode(), secret, algorithm)


def request(
    token: str | None = TOKEN, body: bytes = BODY, method: str = "POST", url: str = URL
) -> WebhookRequest:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return WebhookRequest(method, "/", headers=headers, body=body, url=url)


def verify(webhook: WebhookRequest, now: float = MADE, **secrets: str) -> bool:
    return VONAGE.verify(webhook, {**SECRETS, **secrets}, now)


class WebhookTests(SynchronousTestCase):
    def assertForged(self, webhook: WebhookRequest, now: float = MADE, **secrets: str) -> str:
        error = self.assertRaises(Forged, verify, webhook, now, **secrets)
        self.assertNotIn(SECRET, str(error))
        return str(error)

    def test_vector(self) -> None:
        """The documented token over the documented body."""
        self.assertTrue(verify(request()))

    def test_vector_changed(self) -> None:
        """The same call "complete" instead of "answered": that body was not signed."""
        changed = BODY.replace(b"answered", b"complete")
        self.assertEqual(
            sha256(changed).hexdigest(),
            "5427df394e3c8b506089c46df0e14a7ea3d03573e36d3bca55b8e1ceae2244d6",
        )
        self.assertIn("body", self.assertForged(request(body=changed)))

    def test_without_secret(self) -> None:
        """With nothing to check it by, a token proves nothing."""
        self.assertFalse(VONAGE.verify(request(), {}, MADE))
        self.assertFalse(verify(request(), signature_secret=""))

    def test_missing(self) -> None:
        """With a secret every webhook must be signed; a key of ours is no signature."""
        for webhook in (
            request(None),
            request("rpd-" + "a" * 43),
            WebhookRequest("POST", "/", headers={"authorization": f"Basic {TOKEN}"}, url=URL),
        ):
            self.assertIn("no token", self.assertForged(webhook))

    def test_any_case(self) -> None:
        """The scheme's name is not case-sensitive (RFC 9110, section 11.1)."""
        header = {"authorization": f"bearer  {TOKEN} "}
        self.assertTrue(verify(WebhookRequest("POST", "/", headers=header, body=BODY, url=URL)))

    def test_other_secret(self) -> None:
        """Another account's secret signs nothing of ours."""
        self.assertForged(request(signed(secret="x" * 38)))

    def test_algorithms(self) -> None:
        """Nothing but HS256, whoever asks for it."""
        secret = "x" * 64
        for algorithm in ("HS384", "HS512"):
            webhook = request(signed(secret, algorithm))
            self.assertForged(webhook, signature_secret=secret)
        bare = urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
        self.assertForged(request(f"{bare}.{TOKEN.split('.')[1]}."))

    def test_time(self) -> None:
        """Five minutes either way, by the time that is given."""
        for seconds, good in ((300, True), (-300, True), (301, False), (-301, False)):
            if good:
                self.assertTrue(verify(request(), MADE + seconds))
            else:
                self.assertForged(request(), MADE + seconds)

    def test_claims(self) -> None:
        """Each claim that is wrong or missing, the signature being right."""
        for changes in (
            {"iss": "Nexmo"},
            {"iss": None},
            {"iss": ["Vonage"]},
            {"iat": None},
            {"iat": str(int(MADE))},
            {"iat": True},
            {"iat": float("nan")},
            {"iat": 10**30},
            {"payload_hash": None},
            {"payload_hash": 7},
            {"payload_hash": "\u00e9" * 64},
            {"payload_hash": sha256(b"").hexdigest()},
            {"application_id": "another"},
        ):
            self.assertForged(request(signed(**changes)))

    def test_application(self) -> None:
        """Is compared where both are known."""
        self.assertTrue(verify(request(signed(application_id=None))))
        self.assertTrue(verify(request(), application_id=""))
        self.assertForged(request(), application_id="another")

    def test_get(self) -> None:
        """Of a GET no hash is checked: nobody says what would be hashed."""
        self.assertTrue(verify(request(body=b"", method="GET")))
        self.assertTrue(verify(request(signed(payload_hash=None), b"", "GET")))

    def test_library_clock(self) -> None:
        """A time limit of the token's own is not compared with another clock."""
        self.assertTrue(verify(request(signed(exp=int(MADE) + 1, nbf=int(MADE)))))

    @given(st.text() | st.binary().map(lambda raw: urlsafe_b64encode(raw).decode()))
    def test_anything(self, token: str) -> None:
        """Whatever stands for a token is no token."""
        self.assertForged(request(token))

    @given(st.binary(), st.binary(), st.binary())
    def test_any_parts(self, header: bytes, claims: bytes, signature: bytes) -> None:
        """Nor are three segments of anything."""
        parts = (
            urlsafe_b64encode(part).decode().rstrip("=") for part in (header, claims, signature)
        )
        self.assertForged(request(".".join(parts)))

    def test_deep(self) -> None:
        """A header that is nested too deeply to be read."""
        header = urlsafe_b64encode(b"[" * 100_000).decode()
        self.assertForged(request(f"{header}.e30.e30"))

    @given(st.integers(0, len(TOKEN) - 1), st.integers(0, 5))
    def test_any_bit(self, place: int, bit: int) -> None:
        """No bit of the token can be turned."""
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        if TOKEN[place] == ".":
            return
        turned = letters[letters.index(TOKEN[place]) ^ 1 << bit]
        changed = TOKEN[:place] + turned + TOKEN[place + 1 :]
        if decoded(changed) != decoded(TOKEN):  # the last letter has bits that mean nothing
            self.assertForged(request(changed))


def decoded(token: str) -> list[bytes]:
    return [urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]


class UpgradeTests(SynchronousTestCase):
    """A media socket carries a token only where the NCCO asks for it."""

    def test_token(self) -> None:
        """It proves Vonage, whatever it hashes."""
        self.assertTrue(verify(request(body=b"", method="GET", url=SOCKET)))

    def test_no_token(self) -> None:
        """None, or a key of ours, proves nothing and does no harm."""
        for token in (None, "", "rpd-" + "a" * 43):
            self.assertFalse(verify(request(token, b"", "GET", SOCKET)))

    def test_bad_token(self) -> None:
        """One that is there must be good."""
        webhook = request(TOKEN[:-3] + "AAA", b"", "GET", SOCKET)
        self.assertRaises(Forged, verify, webhook)

    def test_claimed_upgrade(self) -> None:
        """A webhook does not become a socket by its headers."""
        header = {"upgrade": "websocket", "connection": "upgrade"}
        self.assertRaises(Forged, verify, WebhookRequest("GET", "/", headers=header, url=URL))


class LibraryTests(SynchronousTestCase):
    """Vonage's own vonage-jwt."""

    def test_same_opinion(self) -> None:
        """It takes the vector and what the tests sign, and refuses another secret."""
        for token in (TOKEN, signed()):
            self.assertTrue(verify_signature(token, SECRET))
        self.assertFalse(verify_signature(TOKEN, "x" * 38))

    def test_application_token(self) -> None:
        """What it makes for the REST API is no signed webhook, not even if the key were known."""
        key = rsa.generate_private_key(65537, 2048)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        claims = {**CLAIMS, "exp": int(MADE) + 900}
        token = JwtClient(APPLICATION, private).generate_application_jwt(claims).decode()
        self.assertEqual(jwt.get_unverified_header(token)["alg"], "RS256")
        self.assertEqual(json.loads(decoded(token)[1])["application_id"], APPLICATION)
        self.assertRaises(Forged, verify, request(token))
        self.assertRaises(Forged, verify, request(token), signature_secret=public.decode())
