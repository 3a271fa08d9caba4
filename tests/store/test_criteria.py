"""Which conversations and messages are listed, and in which order."""

from __future__ import annotations

from rapida_tw.errors import BadRequest, NotFound
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.criteria import CONVERSATION_KEYS, MESSAGE_KEYS, Criterion, Order, read_order
from rapida_tw.store.records import Conversation, Entry
from rapida_tw.store.selection import CONVERSATIONS, MESSAGES
from tests.store.case import StoreCase


class CriteriaCase(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.conversations = Conversations(self.database, self.clock.seconds, "here")
        for id, identifier, status, direction, created in (
            (1, "+15550100", "ended", "inbound", 100.0),
            (2, "+15550199", "failed", "outbound", 200.0),
            (3, "50%_off\\", "queued", "outbound", 300.0),
            (4, "", "ended", "inbound", 400.5),
        ):
            new = Conversation(
                id, self.project, 5 + id % 2, identifier, direction=direction, status=status
            )
            self.successResultOf(
                self.conversations.create(
                    Conversation(**{**_fields(new), "created": created, "updated": created})
                )
            )

    def listed(self, *criteria: Criterion, order: Order | None = None) -> list[int]:
        page = self.successResultOf(
            self.conversations.page(self.project, criteria=criteria, order=order)
        )
        self.assertEqual(page.total, len(page.items))
        return [one.id for one in page.items]

    def refused(self, *criteria: Criterion, order: Order | None = None) -> str:
        asking = self.conversations.page(self.project, criteria=criteria, order=order)
        return self.failureResultOf(asking, BadRequest).getErrorMessage()


def _fields(conversation: Conversation) -> dict[str, object]:
    return {name: getattr(conversation, name) for name in conversation.__dataclass_fields__}


class CriteriaTests(CriteriaCase):
    def test_comparisons(self) -> None:
        """Each operator, over texts, numbers and times."""
        for key, logic, value, wanted in (
            ("status", "=", "ended", [4, 1]),
            ("status", "", "ENDED", [4, 1]),
            ("status", "!=", "ended", [3, 2]),
            ("status", "in", "failed, queued", [3, 2]),
            ("id", "in", "[1, 3]", [3, 1]),
            ("id", "<", "3", [2, 1]),
            ("id", "<=", "2", [2, 1]),
            ("assistant_id", "=", "6", [3, 1]),
            ("assistantId", "=", "6", [3, 1]),
            ("created_date", ">=", "300", [4, 3]),
            ("created_date", ">", "1970-01-01T00:05:00Z", [4]),
            ("createdDate", "<", "1970-01-01T02:02:30+02:00", [1]),
            ("identifier", "=", "", [4]),
            ("direction", "like", "OUT", [3, 2]),
        ):
            with self.subTest(key=key, logic=logic, value=value):
                self.assertEqual(self.listed(Criterion(key, value, logic)), wanted)

    def test_all_hold(self) -> None:
        """Several criteria are all asked."""
        both = (Criterion("status", "ended"), Criterion("created_date", "200", "<"))
        self.assertEqual(self.listed(*both), [1])

    def test_like_is_literal(self) -> None:
        """Wildcards within the value stand for themselves; % around it is usual and harmless."""
        for value, wanted in (
            ("%5550%", [2, 1]),
            ("0%_O", [3]),
            ("0_0", []),
            ("off\\", [3]),
        ):
            self.assertEqual(self.listed(Criterion("identifier", value, "like")), wanted, value)

    def test_injection(self) -> None:
        """What is SQL elsewhere is a value here, or refused."""
        foul = "1 OR 1=1; DROP TABLE conversation"
        self.assertEqual(self.listed(Criterion("identifier", f"' {foul}")), [])
        self.assertIn("no such key", self.refused(Criterion(f"id = {foul} --", "1")))
        self.assertIn("no such logic", self.refused(Criterion("id", "1", f"= {foul}")))
        self.refused(Criterion("id", foul))
        self.refused(order=Order(f"id; {foul}"))
        self.assertEqual(len(self.listed()), 4)

    def test_refused(self) -> None:
        """What cannot be asked is refused, not answered with nothing."""
        for criterion in (
            Criterion("project_id", "1"),
            Criterion("node", "here"),
            Criterion("", "1"),
            Criterion("id", "-1"),
            Criterion("id", "9" * 20),
            Criterion("id", "1" * 5_000),
            Criterion("duration", "nan"),
            Criterion("created_date", "yesterday"),
            Criterion("created_date", "inf"),
            Criterion("id", "1", "like"),
            Criterion("status", "[1", "in"),
            Criterion("status", "[" * 900, "in"),
            Criterion("status", ",".join(["x"] * 201), "in"),
            Criterion("status", "x" * 1_001),
            Criterion("status", "a\0b", "like"),
            Criterion("status", "\ud800"),
            Criterion("status", "x", "regexp"),
        ):
            with self.subTest(criterion=criterion):
                self.refused(criterion)
        self.refused(*[Criterion("status", "ended")] * 33)

    def test_order(self) -> None:
        """By any known column, either way; ties by id."""
        self.assertEqual(self.listed(order=Order("created_date")), [1, 2, 3, 4])
        self.assertEqual(self.listed(order=Order("status", descending=True)), [3, 2, 4, 1])
        self.assertEqual(read_order("createdDate", "DESC"), Order("createdDate", descending=True))
        self.assertIsNone(read_order("", ""))
        with self.assertRaises(BadRequest):
            read_order("id", "sideways")

    def test_names(self) -> None:
        """The published lists of keys are those that are looked up."""
        self.assertEqual(tuple(CONVERSATIONS), CONVERSATION_KEYS)
        self.assertEqual(tuple(MESSAGES), MESSAGE_KEYS)


class MessagesTests(CriteriaCase):
    def setUp(self) -> None:
        super().setUp()
        self.successResultOf(
            self.conversations.append(
                [
                    Entry(1, "message", "user", "hello", {"confidence": 1}, 5.0),
                    Entry(1, "metric", "call.duration", "9", {}, 5.0),
                    Entry(2, "message", "assistant", "Hello!", {}, 4.0),
                    Entry(1, "message", "assistant", "bye", {}, 6.0),
                ]
            )
        )

    def texts(self, *more: object, **options: object) -> list[str]:
        page = self.successResultOf(
            self.conversations.messages(self.project, *more, **options)  # type: ignore[arg-type]
        )
        return [one.text for one in page.items]

    def test_oldest_first(self) -> None:
        """Of all conversations of the project, nothing but messages."""
        self.assertEqual(self.texts(), ["Hello!", "hello", "bye"])
        self.assertEqual(self.texts(order=Order("id", descending=True))[0], "bye")

    def test_of_one(self) -> None:
        """Of one conversation, if it is the project's."""
        self.assertEqual(self.texts(1, 20, 1), ["hello", "bye"])
        asking = self.conversations.messages(self.project + 1, conversation_id=1)
        self.failureResultOf(asking, NotFound)

    def test_other_project(self) -> None:
        """Another project sees none of them."""
        page = self.successResultOf(self.conversations.messages(self.project + 1))
        self.assertEqual((list(page.items), page.total), ([], 0))

    def test_criteria(self) -> None:
        """By role and by what was said."""
        self.assertEqual(self.texts(criteria=[Criterion("role", "assistant")]), ["Hello!", "bye"])
        self.assertEqual(self.texts(criteria=[Criterion("text", "BY", "like")]), ["bye"])

    def test_pages(self) -> None:
        """Each once, with the number of all."""
        asking = self.conversations.messages(self.project, 2, 2)
        page = self.successResultOf(asking)
        self.assertEqual(([one.text for one in page.items], page.total), (["bye"], 3))
        self.assertEqual((page.items[0].conversation_id, page.items[0].role), (1, "assistant"))
