"""A small script in the long form that the tests of this folder share."""

from __future__ import annotations

from typing import Any

TAXI: dict[str, Any] = {
    "before": ["i would like", "can i"],
    "after": ["please"],
    "always": ["operator", "repeat", "help", "cancel", "bye"],
    "keys": {"0": "operator", "*": "repeat"},
    "intents": {
        "prices": {"phrases": ["[your] prices", "how much is it"], "say": "Two euros a mile."},
        "ride": {
            "phrases": ["[get | order] (a | my) taxi", "a ride"],
            "say": "Sure.",
            "then": "taxi",
        },
        "operator": {"phrases": ["operator"], "say": "One moment.", "transfer": "200"},
        "repeat": {"phrases": ["repeat [that]", "pardon"], "repeat": True},
        "help": {"phrases": ["help"], "help": True},
        "cancel": {"phrases": ["cancel"], "say": "Cancelled.", "then": "main"},
        "bye": {"phrases": ["[thank you] goodbye"], "say": "Bye.", "end": True},
    },
    "menus": {
        "main": {
            "ask": "What is it?",
            "again": "What else?",
            "retry": ["Prices or a taxi?", "Press 1 or 2."],
            "help": "Ask for prices or a taxi.",
            "intents": ["prices", "ride"],
            "keys": {"1": "prices", "2": "ride"},
        }
    },
    "forms": {
        "taxi": {
            "slots": [
                {
                    "name": "people",
                    "type": "number",
                    "min": 1,
                    "max": 8,
                    "wordings": ["for <> [people]"],
                    "called": ["[the] people"],
                    "ask": "How many?",
                    "retry": ["How many people?"],
                    "heard": "for {people}",
                    "outside": "One to eight.",
                },
                {
                    "name": "time",
                    "type": "time",
                    "called": ["[the] time"],
                    "earliest": "12:00",
                    "latest": "22:00",
                    "ask": "When?",
                    "heard": "at {time}",
                },
            ],
            "confirm": {"ask": "For {people} at {time}?", "retry": ["Yes or no?"]},
            "change": {"ask": "The people or the time?"},
            "done": {"say": "{people} at {time}, done.", "then": "main"},
        }
    },
    "giveUp": {"say": "I give up.", "transfer": "200"},
    "unavailable": "Nobody is there.",
    "farewell": "Farewell.",
}
