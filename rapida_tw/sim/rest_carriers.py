"""The REST sides of carriers by their names, for the credential that a user has of them."""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_hex

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rapida_tw.sim.exotel import Flow
from rapida_tw.sim.exotel_placed import ExotelAccount
from rapida_tw.sim.exotel_rest import ExotelRest
from rapida_tw.sim.switchboard import Switchboard
from rapida_tw.sim.twilio_placed import TwilioAccount
from rapida_tw.sim.twilio_rest import TwilioRest
from rapida_tw.sim.vonage_placed import VonageAccount
from rapida_tw.sim.vonage_rest import VonageRest

REST_CARRIERS = ("twilio", "vonage", "exotel")
Rest = TwilioRest | VonageRest | ExotelRest
_APPLICATION = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"


def credential(carrier: str, given: Mapping[str, str]) -> dict[str, str]:
    """The fields of an account there: those that are given, and some for the rest.

    Without a Vonage signature secret callbacks are not signed; Twilio's always are.
    """
    fields = {
        "twilio": {"account_sid": f"AC{token_hex(16)}", "account_token": ""},
        "exotel": {"account_sid": "exotel1", "api_key": "", "api_secret": ""},
        "vonage": {"application_id": _APPLICATION, "private_key": ""},
    }[carrier]
    for name, usual in fields.items():
        made = new_key() if name == "private_key" else token_hex(16)
        fields[name] = given.get(name) or usual or made
    return {**given, **fields}


def new_key() -> str:
    """An RSA key in PEM, as Vonage gives it to an application."""
    key = rsa.generate_private_key(65_537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode()


def rest_of(
    carrier: str,
    board: Switchboard,
    fields: Mapping[str, str],
    *,
    numbers: frozenset[str] = frozenset(),
    flow: str = "",
    tls: bool = True,
) -> Rest:
    """`fields`: of a whole credential; `ValueError` for a private key that is none.

    `numbers`: those that may be shown; empty: any. `flow`: the address that a call flow of Exotel's
    asks. `tls` False takes `ws:` where Twilio would not.
    """
    if carrier == "twilio":
        account = TwilioAccount(fields["account_sid"], fields["account_token"], numbers, tls=tls)
        return TwilioRest(board, account)
    if carrier == "exotel":
        sid, key, token = (fields[name] for name in ("account_sid", "api_key", "api_secret"))
        return ExotelRest(board, ExotelAccount(sid, key, token, Flow(flow), numbers))
    known = VonageAccount(
        public_key(fields["private_key"]),
        fields["application_id"],
        fields.get("api_key", ""),
        fields.get("api_secret", ""),
        fields.get("signature_secret", ""),
        frozenset(number.removeprefix("+") for number in numbers),
    )
    return VonageRest(board, known)


def public_key(private: str) -> str:
    """That of a private key, both in PEM; `ValueError` where it is none."""
    key = serialization.load_pem_private_key(private.encode(), None)
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode()
