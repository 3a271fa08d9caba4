"""Grammar texts: the words in them, a place for hesitations, and one for when none is given.

JSGF is the JSpeech Grammar Format (W3C note of 5 June 2000). Only as much of it is understood here
as is needed to find words: everything else is the decoder's business.
"""

from __future__ import annotations

import re

# Sounds that are no answer, and their phones (ARPAbet). A grammar without them hears "mhm" as the
# word that is most like it; with them it is heard as itself, and who asked decides what it means.
# The pronouncing dictionary has most of them as a reader would say them, not as they are hummed.
HESITATIONS = {
    "mm": ("M", "M M"),
    "hmm": ("HH M", "HH M M"),
    "mhm": ("M HH M", "AH M HH AH M", "M M HH M", "AH HH AH M"),
    "uh-huh": ("AH HH AH", "AH HH AH M"),
    "uh": ("AH", "ER"),
    "um": ("AH M",),
    "huh": ("HH AH",),
    "ah": ("AA",),
    "oh": ("OW",),
    "aha": ("AA HH AA", "AH HH AA"),
}

# A caller who was not asked anything in particular: free speech is beyond the local recogniser.
COMMANDS = """#JSGF V1.0;
grammar commands;
<yes> = yes | yeah | yep | okay | sure | correct | that's right | yes please;
<no> = no | nope | no thanks | no thank you | that's wrong;
<digit> = zero | oh | one | two | three | four | five | six | seven | eight | nine;
<teen> = ten | eleven | twelve | thirteen | fourteen | fifteen | sixteen | seventeen | eighteen
       | nineteen;
<tens> = twenty | thirty | forty | fifty | sixty | seventy | eighty | ninety;
<number> = <teen> | <tens> [<digit>] | <digit> hundred [[and] (<teen> | <tens> [<digit>])];
<digits> = ([double | triple] <digit>)+;
<control> = stop | wait | help | repeat | repeat that | say that again | pardon | cancel
          | start again | go back | main menu | speak up;
<person> = [the] operator | (speak | talk) to (someone | somebody | a person | an agent);
<greeting> = hello | hi | thank you | thanks | goodbye | bye [bye];
public <command> = <yes> | <no> | <digits> | <number> | <control> | <person> | <greeting>;
"""

_HEAD = re.compile(r"\s*#JSGF[^;\n]*;.*?\bgrammar\s+[^;]+;", re.DOTALL)
# What may stand in a rule: comments, weights, references, tags, the keyword; and words.
_ATOM = re.compile(
    r"//[^\n]*|/\*.*?\*/|/[\d.eE+-]+/|<[^>]*>|\{[^}]*\}|\bpublic\b(?=\s*<)"
    r"|(?P<word>[^\s;=|*+<>()\[\]{}/\"]+)",
    re.DOTALL,
)
_PUBLIC = re.compile(r"\bpublic\s*<\s*([^\s>]+)\s*>")
_OURS = "rapida_tw"  # in the names of our own rules


def words(grammar: str) -> set[str]:
    """Every word that can be said; `ValueError` when the text does not begin as a grammar."""
    return {match["word"] for match in _ATOM.finditer(grammar, _rules(grammar)) if match["word"]}


def with_hesitations(grammar: str) -> str:
    """What the public rule has, or nothing but hesitations; `ValueError` without a public rule."""
    public = _PUBLIC.search(grammar, _rules(grammar))
    if public is None:
        raise ValueError("the grammar has no public rule")
    before, after = grammar[: public.start()], grammar[public.end() :]
    return (
        f"{before}<{public[1]}>{after}\n"
        f"<{_OURS}_hesitation> = ({' | '.join(HESITATIONS)})+;\n"
        f"public <{_OURS}_heard> = <{public[1]}> | <{_OURS}_hesitation>;\n"
    )


def _rules(grammar: str) -> int:
    """Where the first rule may begin."""
    head = _HEAD.match(grammar)
    if head is None:
        raise ValueError("a grammar begins with '#JSGF V1.0;' and 'grammar name;'")
    return head.end()
