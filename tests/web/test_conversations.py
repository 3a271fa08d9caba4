"""The history, over HTTP."""

from __future__ import annotations

from urllib.parse import quote

from rapida_tw.store.criteria import Criterion, Order
from rapida_tw.store.records import Conversation, Entry
from tests.web.case import WebCase
from tests.web.fakes import ASSISTANT, OTHER_KEY, PROJECT

PATH = "/v1/conversations"
LATENCY = {
    "total": 0.8124,
    "endpointing": 0.5,
    "recognizer": 0.1,
    "model": 0.05,
    "voice": 0.15,
    "playout": 0.0124,
    "turn": 1,
    "unit": "ms",
}
ENTRIES = (
    Entry(5, "event", "webhook", "", {"carrier": "asterisk"}, 10.0),
    Entry(5, "metadata", "client.phone", "+1555", {}, 10.0),
    Entry(5, "recording", "stereo", "5.wav", {}, 11.0),
    Entry(5, "message", "assistant", "Hello!", {"kind": "greeting"}, 12.0),
    Entry(5, "message", "user", "When do you open?", {"confidence": 0.9}, 14.0),
    Entry(5, "metric", "turn.latency", "812", LATENCY, 15.0),
    Entry(5, "message", "assistant", "At nine", {"interrupted": True}, 16.0),
    Entry(5, "metric", "call.duration", "6.000", {}, 17.0),
)
WHOLE = Conversation(
    5,
    PROJECT,
    ASSISTANT,
    "+1555",
    carrier="asterisk",
    status="ended",
    end_reason="remote_hangup",
    created=10.0,
    updated=17.0,
    duration=6.0,
    entries=ENTRIES,
)


class ConversationTests(WebCase):
    def setUp(self) -> None:
        super().setUp()
        self.conversations.kept[5] = WHOLE

    def test_list(self) -> None:
        """Each conversation in short, in the envelope of every list."""
        answer = self.get(PATH).json
        self.assertEqual(answer["paginated"], {"currentPage": 1, "totalItem": 1})
        self.assertEqual(
            answer["data"],
            [
                {
                    "id": "5",
                    "projectId": str(PROJECT),
                    "assistantId": str(ASSISTANT),
                    "identifier": "+1555",
                    "source": "phone-call",
                    "direction": "inbound",
                    "carrier": "asterisk",
                    "status": "ended",
                    "endReason": "remote_hangup",
                    "duration": 6.0,
                    "createdDate": "1970-01-01T00:00:10.000Z",
                    "updatedDate": "1970-01-01T00:00:17.000Z",
                }
            ],
        )

    def test_choice(self) -> None:
        """The store is asked for the page, and for one assistant's if that is wanted."""
        self.get(f"{PATH}?page=3&pageSize=50")
        self.get(f"{PATH}?assistantId={ASSISTANT}")
        self.assertEqual(
            self.conversations.pages, [(PROJECT, 3, 50, None), (PROJECT, 1, 20, ASSISTANT)]
        )

    def test_criteria(self) -> None:
        """As a JSON list, or by simple names; and the order."""
        listed = quote('[{"key": "duration", "value": 5, "logic": ">"}]')
        self.get(f"{PATH}?criteria={listed}&status=ended&orderBy=updatedDate&order=desc")
        self.assertEqual(
            self.conversations.criteria,
            (Criterion("status", "ended"), Criterion("duration", "5", ">")),
        )
        self.assertEqual(self.conversations.order, Order("updatedDate", descending=True))

    def test_bad_criteria(self) -> None:
        """400 for what says nothing."""
        for text in (
            "{",
            "{}",
            "[1]",
            "[{}]",
            '[{"key": "id"}]',
            '[{"key": "id", "value": true}]',
            '[{"key": "id", "value": null}]',
            '[{"key": "id", "value": "1", "more": 1}]',
            '[{"key": 1, "value": "1"}]',
            '["\\ud800"]',
            "[" * 4_000,
        ):
            response = self.get(f"{PATH}?criteria={quote(text)}")
            self.assertEqual((response.status, response.error), (400, "bad-request"), text)
        self.assertEqual(self.get(f"{PATH}?orderBy=id&order=up").status, 400)

    def test_bad_choice(self) -> None:
        """An assistant that cannot be has no conversations."""
        self.assertEqual(self.get(f"{PATH}?assistantId=x").status, 404)

    def test_messages(self) -> None:
        """The dialogue in order, with what was heard and how sure that is."""
        messages = self.get(f"{PATH}/5").json["data"]["messages"]
        self.assertEqual(
            [(message["role"], message["text"]) for message in messages],
            [("assistant", "Hello!"), ("user", "When do you open?"), ("assistant", "At nine")],
        )
        self.assertTrue(messages[2]["data"]["interrupted"])
        self.assertEqual(messages[1]["createdDate"], "1970-01-01T00:00:14.000Z")

    def test_metrics(self) -> None:
        """By the names that the documentation promises."""
        metrics = self.get(f"{PATH}/5").json["data"]["metrics"]
        values = {metric["name"]: metric["value"] for metric in metrics}
        self.assertEqual(values, {"turn.latency": "812", "call.duration": "6.000"})

    def test_events_and_metadata(self) -> None:
        """What happened, and what is known of the caller."""
        data = self.get(f"{PATH}/5").json["data"]
        self.assertEqual([event["name"] for event in data["events"]], ["webhook"])
        self.assertEqual(data["events"][0]["data"], {"carrier": "asterisk"})
        self.assertEqual(data["metadata"], {"client.phone": "+1555"})

    def test_latency(self) -> None:
        """Each answered turn, in milliseconds; the parts make the whole."""
        (turn,) = self.get(f"{PATH}/5").json["data"]["latency"]
        self.assertEqual((turn["turn"], turn["total"], turn["unit"]), (1, 812.4, "ms"))
        parts = ("endpointing", "recognizer", "model", "voice", "playout")
        self.assertAlmostEqual(sum(turn[part] for part in parts), 812.4)

    def test_links(self) -> None:
        """To the recording, its tracks and its picture; following one finds it."""
        data = self.get(f"{PATH}/5").json["data"]
        self.assertEqual(data["recordings"]["stereo"], f"{PATH}/5/recording.wav")
        self.assertEqual(data["recordings"]["user"], f"{PATH}/5/recording.wav?track=user")
        self.assertEqual(self.get(data["timeline"]).body, self.draw.image)

    def test_not_recorded(self) -> None:
        """No links to what is not there."""
        self.conversations.kept[6] = Conversation(6, PROJECT, ASSISTANT, "")
        data = self.get(f"{PATH}/6").json["data"]
        self.assertEqual((data["recordings"], data["timeline"]), ({}, None))
        self.assertIsNone(data["duration"])

    def test_other_project(self) -> None:
        """To another project's key nothing of it is there."""
        for end in ("", "/recording.wav", "/timeline.png"):
            self.assertEqual(self.get(f"{PATH}/5{end}", key=OTHER_KEY).status, 404)
