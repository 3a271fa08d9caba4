"""Options of one call, laid over its deployment (PRODUCT.md, d.2).

`experience.…` stands over the deployment's own fields; `listen.…`, `speak.…`, `speaker.…`,
`microphone.…` and `model.…` over the options of its recogniser, voice, detector and model; all
others are the carrier's and lie over the deployment's options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from rapida_tw.errors import BadRequest
from rapida_tw.ids import parse_id
from rapida_tw.store.records import Assistant, Deployment, VendorChoice

CREDENTIAL = "rapida.credential_id"  # another account of the carrier
MOST = 100  # options of one call
_TRUE: Final = frozenset(("true", "1", "yes", "on"))
_FALSE: Final = frozenset(("false", "0", "no", "off"))


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 2_000:
        raise ValueError("must be a text of at most 2000 characters")
    return value


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("must be true or false")
    return word in _TRUE


def _number(low: float, high: float) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        number = float("nan") if isinstance(value, bool) else float(value)
        if not low <= number <= high:
            raise ValueError(f"must be a number between {low:g} and {high:g}")
        return number

    return check


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        number = _number(low, high)(value)
        if number != int(number):
            raise ValueError("must be a whole number")
        return int(number)

    return check


# By the option: the deployment's field, and how it is read. Bounds as of the deployment itself.
_EXPERIENCE: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "greeting": ("greeting", _text),
    "greeting_interruptible": ("greeting_interruptible", _flag),
    "mistake": ("error_message", _text),
    "ideal_timeout": ("idle_timeout", _number(1, 600)),
    "ideal_timeout_message": ("idle_message", _text),
    "ideal_timeout_backoff": ("idle_timeout_retries", _whole(0, 5)),
    "max_session_duration": ("max_call_duration", _number(1, 86_400)),
    "recording": ("recording", _flag),
}
_OF_STT = "listen."
_OF_TTS = ("speak.", "speaker.")
_OF_VAD = ("microphone.vad.", "microphone.barge_in", "microphone.denoising.")
_OF_EOS = "microphone.eos."
_OF_MODEL = "model."
# Where a vendor is: a call that could say it would take the credential's keys there.
_ADDRESSES: Final = frozenset(
    ("url", "base_url", "baseurl", "endpoint", "host", "headers", "certificate")
)


def overridden(deployment: Deployment, options: Mapping[str, Any]) -> Deployment:
    """The deployment of this call; `BadRequest` names what cannot be."""
    if len(options) > MOST:
        raise BadRequest(f"options: at most {MOST}")
    own: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    stt: dict[str, Any] = {}
    tts: dict[str, Any] = {}
    vad: dict[str, Any] = {}
    eos: dict[str, Any] = {}
    for name, value in options.items():
        _check_address(name)
        if name.startswith("experience."):
            field, read = _experience(name)
            try:
                fields[field] = read(value)
            except (ValueError, TypeError, OverflowError) as error:
                raise BadRequest(f"options: {name} {error}") from None
        elif name.startswith(_OF_STT):
            stt[name] = value
        elif name.startswith(_OF_TTS):
            tts[name] = value
        elif name.startswith(_OF_EOS):
            eos[name] = value
        elif name.startswith(_OF_VAD):
            vad[name] = value
        elif name == CREDENTIAL:
            fields["credential_id"] = parse_id(str(value), CREDENTIAL)
        elif not name.startswith(_OF_MODEL):
            own[name] = value
    return replace(
        deployment,
        options={**deployment.options, **own},
        stt=_over(deployment.stt, stt),
        tts=_over(deployment.tts, tts),
        vad=_over(deployment.vad, vad),
        end_of_speech=_over(deployment.end_of_speech, eos),
        **fields,
    )


def overridden_model(assistant: Assistant, options: Mapping[str, Any]) -> Assistant:
    """The assistant of this call: with its model's options."""
    own = {name: value for name, value in options.items() if name.startswith(_OF_MODEL)}
    return replace(assistant, model=_over(assistant.model, own)) if own else assistant


def _check_address(name: str) -> None:
    """`BadRequest` for where a vendor is: that is the deployment's and the credential's to say."""
    vendors = (_OF_STT, *_OF_TTS, _OF_MODEL)
    if name.startswith(vendors) and name.rpartition(".")[2].strip().lower() in _ADDRESSES:
        raise BadRequest(f"options: {name[:100]} is not for one call")


def _experience(name: str) -> tuple[str, Callable[[Any], Any]]:
    known = name.removeprefix("experience.")
    if known not in _EXPERIENCE:
        raise BadRequest(f"options: there is no {name[:100]}")
    return _EXPERIENCE[known]


def _over(choice: VendorChoice, options: Mapping[str, Any]) -> VendorChoice:
    return replace(choice, options={**choice.options, **options}) if options else choice
