"""What Asterisk is to dial: the dial string of a number, for each channel technology.

The published form `PJSIP/trunk/number` is none that PJSIP takes (it answers "Allocation failed");
what it takes is `PJSIP/number@trunk`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rapida_tw.account import Account
from rapida_tw.carriers.options import one_of
from rapida_tw.errors import BadRequest, MisconfiguredAssistant, NotSupported

TECHNOLOGIES: Final = ("PJSIP", "SIP", "IAX2", "DAHDI", "Local")
FORMS: Final = ("working", "literal")

# No "/", "@", "&", "," or blank: they would begin another part of a dial string, or another one.
_NUMBER: Final = re.compile(r"[+0-9A-Za-z*#._-]{1,128}")
_TRUNK: Final = re.compile(r"[0-9A-Za-z._-]{1,80}")
_URI: Final = re.compile(r"sips?:[+0-9A-Za-z*#._-]{1,128}@[0-9A-Za-z._-]{1,128}(:[0-9]{1,5})?")
_NAME: Final = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Way:
    """How numbers are dialled; options of the deployment stand over the credential's."""

    technology: str = "PJSIP"
    trunk: str = ""
    literal: bool = False
    transfers: str = ""  # a context whose extensions are the targets of transfers

    @classmethod
    def of(cls, account: Account, options: Mapping[str, Any]) -> Way:
        """`MisconfiguredAssistant` for an unknown technology, or what cannot be a trunk."""
        given = dict(account) | {name: value for name, value in options.items() if value}
        trunk = name_in(given, "trunk")
        return cls(
            one_of(given, "endpoint_technology", TECHNOLOGIES, "PJSIP"),
            trunk,
            one_of(given, "endpoint_form", FORMS, "working") == "literal",
            name_in(options, "transfer_context"),
        )

    def endpoint(self, callee: str) -> str:
        """The dial string; `BadRequest` for what can be no number."""
        if _URI.fullmatch(callee):
            return self._address(callee)
        if not _NUMBER.fullmatch(callee):
            raise BadRequest("that is no number that Asterisk can dial")
        technology, trunk = self.technology, self.trunk
        if technology == "Local":
            return local(callee, trunk)
        if technology == "DAHDI":
            return f"DAHDI/{trunk or 'g1'}/{callee}"
        if not trunk:
            return f"{technology}/{callee}"
        if technology == "PJSIP" and not self.literal:
            return f"PJSIP/{callee}@{trunk}"
        return f"{technology}/{trunk}/{callee}"

    def transfer(self, target: str) -> str:
        """The dial string of who is to take a call over; `NotSupported` says why there is none.

        A name that is no number is an extension of `transfers`, or else an endpoint.
        """
        if self.transfers and _NUMBER.fullmatch(target):
            return local(target, self.transfers)
        if _NUMBER.fullmatch(target) and _NAME.match(target) and self.technology != "Local":
            return f"{self.technology}/{target}"
        try:
            return self.endpoint(target)
        except (BadRequest, MisconfiguredAssistant) as error:
            raise NotSupported(str(error)) from None

    def _address(self, uri: str) -> str:
        if self.technology != "PJSIP":
            raise BadRequest("a SIP address is dialled by PJSIP alone")
        if not self.trunk:
            raise MisconfiguredAssistant("a SIP address needs a trunk, by which it is dialled")
        return f"PJSIP/{self.trunk}/{uri}"


def local(extension: str, context: str) -> str:
    """Through the dialplan. /n: else the channel is replaced by another in the middle of a call."""
    if not context:
        raise MisconfiguredAssistant(
            "Local needs a trunk: the context in which numbers are dialled"
        )
    return f"Local/{extension}@{context}/n"


def name_in(options: Mapping[str, Any], name: str, default: str = "") -> str:
    """The name of a trunk, a context or the like; `MisconfiguredAssistant` for what is none."""
    value = str(options.get(name) or default).strip()
    if value and not _TRUNK.fullmatch(value):
        raise MisconfiguredAssistant(f"{name} may have letters, digits, dots and dashes")
    return value


def formats(endpoint: str) -> dict[str, str]:
    """Without them a Local channel becomes one of 192 kHz (Asterisk 22)."""
    return {"formats": "slin"} if endpoint.startswith("Local/") else {}
