"""Abbreviations, street addresses and symbols.

The dot of an abbreviation goes, but where it ends the sentence as well it stays.
"""

from __future__ import annotations

import re

from rapida_tw.pipeline.normalise_rule import rule, words_rule

# The dot after an abbreviation: dropped before what goes on, kept at the end.
_DOT = r"(?:\.(?=\s+[a-z0-9(&]|\s*[,;:?!)\"'-]))?(?!\w)"

_STREETS = {
    "Ave": "Avenue",
    "Blvd": "Boulevard",
    "Rd": "Road",
    "Ln": "Lane",
    "Pkwy": "Parkway",
    "Hwy": "Highway",
    "Sq": "Square",
}
_ROOMS = {"Apt": "Apartment", "Ste": "Suite", "Fl": "Floor", "Bldg": "Building", "Rm": "Room"}
_NEAR = 60  # characters before an abbreviation that may tell what it means
_BEFORE_SAINTS = frozenset(("At", "In", "On", "Near", "The", "To", "From", "And", "Of", "By", "Is"))


def _saint_or_street(match: re.Match[str]) -> str:
    """St. after a name is a street, before a name a saint; otherwise a street."""
    words = match.string[max(0, match.start() - _NEAR) : match.start()].split()
    before = words[-1] if words else ""
    named = before[:1].isupper() and before not in _BEFORE_SAINTS
    numbered = before[-2:] in ("st", "nd", "rd", "th") and before[:1].isdigit()
    after = match.string[match.end() : match.end() + _NEAR]
    if re.match(r"\s+[A-Z]", after) and not (named or numbered):
        return "Saint"
    stop = match[0].endswith(".") and (not after.strip() or re.match(r"\s+[A-Z]", after))
    return "Street." if stop else "Street"


def _drive_or_doctor(match: re.Match[str]) -> str:
    """Dr. in "123 Ocean Dr." is a drive; doctors are left to their own rule."""
    near = match.string[max(0, match.start() - _NEAR) : match.start()]
    house = re.search(r"[0-9]\s(?:[A-Z][\w'-]*\s)+$", near)
    return "Drive" if house else match[0]


ADDRESS = (
    rule(
        r"(?<=[A-Za-z]\s)St\b\.?(?!\w)|\bSt\b\.?(?=\s+[A-Z])", _saint_or_street, "S", digits=False
    ),
    rule(rf"\bDr{_DOT}", _drive_or_doctor, "D", digits=False),
    words_rule(_STREETS, before=r"(?<=\w\s)", after=_DOT),
    words_rule(_ROOMS, after=r"\.?(?=\s#?\w)"),
)

ROLE = (
    words_rule(
        {
            "Mr": "Mister",
            "Mrs": "Missus",
            "Ms": "Miz",
            "Prof": "Professor",
            "Capt": "Captain",
            "Lt": "Lieutenant",
            "Sgt": "Sergeant",
        },
        after=r"\.?(?=\s+[A-Z])",  # a title is always followed by a name
    ),
    # Gen Z is no general: these only with their dot.
    words_rule(
        {
            "Rev": "Reverend",
            "Gen": "General",
            "Col": "Colonel",
            "Sen": "Senator",
            "Gov": "Governor",
            "Hon": "Honorable",
        },
        after=r"\.(?=\s+[A-Z])",
    ),
    words_rule({"Dr": "Doctor"}, after=r"\.?(?!\w)"),
    words_rule(
        {"Jr": "Junior", "Sr": "Senior", "Esq": "Esquire"}, before=r"(?<=\w\s|,\s)", after=_DOT
    ),
    words_rule(
        {"Ph.D": "P H D", "PhD": "P H D", "CEO": "C E O", "CFO": "C F O", "CTO": "C T O"},
        after=_DOT,
    ),
)

GENERAL = (
    rule(r"\b[Nn]os?\.\s?(?=[0-9])", "number ", "."),
    # These never end a sentence, so their dot always goes.
    words_rule(
        {
            "e.g": "for example",
            "E.g": "For example",
            "i.e": "that is",
            "I.e": "That is",
            "approx": "approximately",
            "Approx": "Approximately",
            "vs": "versus",
            "incl": "including",
            "excl": "excluding",
            "ext": "extension",
            "Ext": "Extension",
            "tel": "telephone",
            "Tel": "Telephone",
        },
        before=r"(?<![\w.])",
        after=r"\.?(?!\w)",
    ),
    # Without a dot these are words or names.
    words_rule(
        {"min": "minimum", "max": "maximum", "est": "established", "Inc": "Incorporated"},
        after=r"(?=\.)" + _DOT,
    ),
    words_rule(
        {
            "etc": "et cetera",
            "dept": "department",
            "Dept": "Department",
            "appt": "appointment",
            "Ltd": "Limited",
            "Corp": "Corporation",
            "Bros": "Brothers",
            "hrs": "hours",
            "mins": "minutes",
            "misc": "miscellaneous",
            "a.k.a": "also known as",
            "asap": "as soon as possible",
            "ASAP": "as soon as possible",
            "FYI": "for your information",
            "n/a": "not available",
            "N/A": "not available",
        },
        before=r"(?<![\w.])",
        after=_DOT,
    ),
    rule(r"(?<!\w)w/o(?!\w)", "without", "/", digits=False),
    rule(r"(?<!\w)w/\s?(?=\w)", "with ", "/", digits=False),
    rule(r"(?<!\w)c/o(?!\w)", "care of", "/", digits=False),
)

_SPELLED = (
    "AI API URL URI HTTP HTTPS HTML CSS XML PDF SMS MMS FAQ USB VPN DNS SSL TLS SSH SDK CRM ERP"
    " LLM TTS STT IVR SIP QR ID IP PC TV UI UX CPU GPU HR"
)
TECH = (
    words_rule(
        {
            "SQL": "sequel",
            "JSON": "jason",
            "GIF": "gif",
            "SaaS": "sass",
            "IoT": "I O T",
            "VoIP": "voip",
            "WiFi": "why fie",
            "Wi-Fi": "why fie",
            "OAuth": "O auth",
            "iOS": "I O S",
            "macOS": "mac O S",
        }
    ),
    rule(
        rf"\b({_SPELLED.replace(' ', '|')})(s?)\b",
        lambda match: " ".join(match[1]) + ("'s" if match[2] else ""),
        digits=False,
    ),
)

# Before the numbers are words ...
SIGN = (
    rule(r"#\s?(?=[0-9])", "number ", "#"),
    rule(r"~\s?(?=[0-9])", "about ", "~"),
    rule(r"(?<!\S)\+(?=[0-9])", "plus ", "+"),
    rule(r"<=?\s?(?=[0-9])", "less than ", "<"),
    rule(r">=?\s?(?=[0-9])", "more than ", ">"),
)
# ... and after.
SYMBOL = (
    rule(r"#(?=[A-Za-z])", "hashtag ", "#", digits=False),
    rule(r"\s?&\s?", " and ", "&", digits=False),
    rule(r"\s?@\s?", " at ", "@", digits=False),
    rule(r"\s?%", " percent", "%", digits=False),
    rule(r"(?<=\w)\s?\+(?!\w)", " plus", "+", digits=False),
    rule(r"(?<=\w)\s?\+\s?(?=\w)", " plus ", "+", digits=False),
    rule(r"\s?=\s?", " equals ", "=", digits=False),
    rule(r"°", " degrees", "°", digits=False),
    rule(r"\band/or\b", "and or", "/", digits=False),
    rule(r"(?<=[A-Za-z])/(?=[A-Za-z])", " or ", "/", digits=False),
    rule(r"\s?(?:->|→|⇒)\s?", " to ", "->→⇒", digits=False),
    rule(r"\s*—\s*|\s+[–-]\s+", ", ", "—–-", digits=False),
    rule(r"–", "-", "–", digits=False),
    rule(r"\$", " dollar ", "$", digits=False),
    rule(r"€", " euro ", "€", digits=False),
    rule(r"£", " pound ", "£", digits=False),
    rule(r"[™®©*_|^~<>{}\[\]\\#]", " ", digits=False),
)
