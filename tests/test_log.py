"""The log: levels, lines, and the secrets that are not in them."""

from __future__ import annotations

import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import ILogObserver, Logger, LogLevel, LogPublisher, globalLogPublisher
from twisted.python import log as legacy
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import HTTPConnectionPool
from twisted.web.http_headers import Headers
from zope.interface.verify import verifyObject

from rapida_tw.config import Log
from rapida_tw.config.sections import LEVELS
from rapida_tw.log import Redactor, TextLines, Writer, observer

KEY = "rpd-ab12" + "x" * 39


class Harness:
    """A logger whose lines end up in `text`."""

    def __init__(self, settings: Log, secrets: tuple[str, ...] = (), colour: bool = False) -> None:
        self._stream = io.StringIO()
        observe = observer(settings, self._stream, Redactor(secrets), colour=colour)
        self.publisher = LogPublisher(observe)
        self.logger = self.of("rapida_tw.calls")

    def of(self, namespace: str) -> Logger:
        return Logger(namespace, observer=self.publisher)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def entry(self) -> dict[str, Any]:
        """The one line of a JSON log."""
        entry: dict[str, Any] = json.loads(self.text)
        return entry


class Levels(SynchronousTestCase):
    """What is written at all."""

    def test_level(self) -> None:
        """Events below the level are dropped."""
        harness = Harness(Log(level="warn"))
        harness.logger.info("quiet")
        harness.logger.warn("loud")
        self.assertNotIn("quiet", harness.text)
        self.assertIn("loud", harness.text)

    def test_namespaces(self) -> None:
        """A part of the server has its own level, and its parts with it."""
        harness = Harness(Log(level="info", levels={"rapida_tw.web": "debug"}))
        harness.of("rapida_tw.web.talk").debug("route")
        harness.of("rapida_tw.calls").debug("state")
        self.assertIn("route", harness.text)
        self.assertNotIn("state", harness.text)

    def test_connections_of_the_http_client(self) -> None:
        """Twisted tells of each: only who looks for it sees that, and still what goes wrong."""
        for settings, seen in (
            (Log(), False),
            (Log(level="debug"), True),
            (Log(levels={"twisted.web.client": "info"}), True),
            (Log(level="error"), False),
        ):
            harness = Harness(settings)
            globalLogPublisher.addObserver(harness.publisher)
            self.addCleanup(globalLogPublisher.removeObserver, harness.publisher)
            factory = HTTPConnectionPool._factory(lambda connection: None, "a connection")
            factory.doStart()
            factory.doStop()
            self.assertEqual("factory" in harness.text, seen, settings)
            harness.of("twisted.web.client").warn("strange")
            self.assertEqual("strange" in harness.text, settings.level != "error")

    def test_every_level(self) -> None:
        """Each level that the configuration allows lets its own events through."""
        for name in LEVELS:
            harness = Harness(Log(level=name))
            harness.logger.emit(LogLevel.levelWithName(name), "seen")
            self.assertIn("seen", harness.text)

    def test_interface(self) -> None:
        """Twisted takes it for an observer."""
        lines = TextLines(Redactor())
        self.assertTrue(verifyObject(ILogObserver, Writer(lines, io.StringIO())))


class Text(SynchronousTestCase):
    """For people."""

    def test_line(self) -> None:
        """Time, level, logger and the event's sentence in one line."""
        harness = Harness(Log())
        harness.logger.info("{call} ended: {reason}", call=7, reason="remote_hangup")
        self.assertRegex(
            harness.text,
            r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} info +rapida_tw\.calls: "
            r"7 ended: remote_hangup\n$",
        )

    def test_no_forged_lines(self) -> None:
        """What callers send can neither begin a line nor move the cursor."""
        harness = Harness(Log())
        harness.logger.info("{name}", name="x\n2026 info fine\r\x1b[2J\u2028\ud800")
        self.assertEqual(harness.text.count("\n"), 1)
        self.assertIn(r"x\n2026 info fine\r\x1b[2J\u2028\ud800", harness.text)

    def test_failure(self) -> None:
        """A failure's traceback follows its line."""
        harness = Harness(Log())
        harness.logger.failure("tick failed", Failure(ValueError("odd")))
        self.assertIn("critical rapida_tw.calls: tick failed\nTraceback", harness.text)
        self.assertTrue(harness.text.endswith("ValueError: odd\n"))

    def test_colour(self) -> None:
        """Colours only where they were asked for, and only for what is not ordinary."""
        plain, coloured = Harness(Log()), Harness(Log(), colour=True)
        for harness in (plain, coloured):
            harness.logger.info("one")
            harness.logger.warn("two")
        self.assertNotIn("\x1b", plain.text)
        self.assertEqual(coloured.text.count("\x1b[33m"), 1)

    def test_broken_event(self) -> None:
        """An event whose format does not fit is told, not lost."""
        harness = Harness(Log())
        harness.logger.info("{nothing.of.that.name}")
        self.assertIn("nothing.of.that.name", harness.text)


class Json(SynchronousTestCase):
    """For machines."""

    def test_entry(self) -> None:
        """One object: time in UTC, level, logger, the sentence, and the event's own fields."""
        harness = Harness(Log(format="json"))
        harness.logger.info("{call} ended", call=7, cost=0.5, tags=("a", 2), who=ValueError("v"))
        entry = harness.entry
        self.assertRegex(entry.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(
            entry,
            {
                "level": "info",
                "logger": "rapida_tw.calls",
                "message": "7 ended",
                "call": 7,
                "cost": 0.5,
                "tags": ["a", 2],
                "who": "v",
            },
        )

    def test_own_fields_win(self) -> None:
        """An event's field cannot stand in for the line's time or logger."""
        harness = Harness(Log(format="json"))
        harness.logger.info("x", logger="another", time="never")
        self.assertEqual(harness.entry["logger"], "rapida_tw.calls")
        self.assertNotEqual(harness.entry["time"], "never")

    def test_failure(self) -> None:
        """The traceback is a field."""
        harness = Harness(Log(format="json"))
        harness.logger.failure("tick failed", Failure(ValueError("odd")))
        self.assertIn("ValueError: odd", harness.entry["traceback"])

    def test_older_events(self) -> None:
        """Events of Twisted's older log come without their duplicate fields."""
        harness = Harness(Log(format="json"))
        publisher = legacy.LogPublisher(publishPublisher=harness.publisher)
        publisher.msg("Site starting on 9007")
        self.assertEqual(harness.entry["message"], "Site starting on 9007")
        self.assertEqual(set(harness.entry), {"time", "level", "logger", "message"})

    def test_no_text(self) -> None:
        """A field that cannot be told says so; the event stays."""

        class Broken:
            def __str__(self) -> str:
                raise RuntimeError

        harness = Harness(Log(format="json"))
        harness.logger.info("x", field=Broken())
        self.assertEqual(harness.entry["field"], "<Broken without text: RuntimeError>")

    @given(value=st.recursive(st.text() | st.floats() | st.integers(), st.lists, max_leaves=5))
    def test_any_value(self, value: object) -> None:
        """Every field is JSON in one line, whatever it holds."""
        harness = Harness(Log(format="json"))
        harness.logger.info("x", value=value)
        self.assertEqual(harness.text.count("\n"), 1)
        self.assertIn("value", harness.entry)


class Secrets(SynchronousTestCase):
    """What is never written."""

    def everywhere(self, secret: str, event: str, *known: str, **fields: Any) -> str:
        """Log it in both forms; the secret is in neither. Returns the text form."""
        both = [Harness(Log(), known), Harness(Log(format="json"), known)]
        for harness in both:
            harness.logger.info(event, **fields)
            self.assertNotIn(secret, harness.text)
        return both[0].text

    def test_known(self) -> None:
        """What the configuration keeps secret, plain or percent-encoded."""
        self.everywhere("s3 cr&t", "{x}", "s3 cr&t", x="a s3 cr&t b")
        self.everywhere("s3%20cr%26t", "{x}", "s3 cr&t", x="/?k=s3%20cr%26t")

    def test_longest_first(self) -> None:
        """A secret that begins with another leaves no end behind."""
        self.everywhere("-and-more", "{x}", "secret", "secret-and-more", x="secret-and-more")

    def test_api_key(self) -> None:
        """Our keys are known by their form; their beginning tells which one it was."""
        text = self.everywhere("xxxx", "key {key} refused", key=KEY)
        self.assertIn("key rpd-ab12*** refused", text)

    def test_names(self) -> None:
        """Values that stand beside a telling name, however it is written down."""
        for place in (
            "GET /v1/talk/asterisk/call/1?from=5&x-api-key=hunter22&channel_id=7 HTTP/1.1",
            "x-api-key: hunter22",
            "X-API-KEY%3Dhunter22",
            '{"apiKey": "hunter22"}',
            "Authorization: Bearer hunter22",
            "{'password': 'hunter22'}",
            "('x-api-key', 'hunter22')",
            str(Headers({b"X-Api-Key": [b"hunter22"]})),
            "redis://:hunter22@cache:6379/0",
            "postgresql://rapida:hunter22@db/rapida",
            '{"account_token": "hunter22"}',
            "ari_password=hunter22",
            "api_secret: hunter22",
            "private_key = hunter22",
        ):
            self.everywhere("hunter22", "{place}", place=place)

    def test_private_key(self) -> None:
        """A private key is known by its form, however it came in."""
        for pem in (
            "-----BEGIN PRIVATE KEY-----\nhunter22\nhunter23\n-----END PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY----- hunter22",
            "private_key: '-----BEGIN PRIVATE KEY-----\\nhunter22'",
        ):
            self.everywhere("hunter", "{x} is no key", x=pem)

    def test_rest_stays(self) -> None:
        """What stands around a secret is still told."""
        text = self.everywhere("hunter", "{x}", x="GET /call/1?x-api-key=hunter&channel_id=7 200")
        self.assertIn("GET /call/1?x-api-key=***&channel_id=7 200", text)

    def test_field_names(self) -> None:
        """A field with a telling name is hidden in JSON, nested ones too."""
        harness = Harness(Log(format="json"))
        harness.logger.info("x", api_key="hunter22", headers={"Authorization": "hunter22"})
        self.assertNotIn("hunter22", harness.text)

    def test_traceback(self) -> None:
        """An exception's words are words like others."""
        for form in ("text", "json"):
            harness = Harness(Log(format=form))
            harness.logger.failure("x", Failure(ValueError(f"bad key {KEY}")))
            self.assertNotIn(KEY, harness.text)

    def test_ordinary_text(self) -> None:
        """Sentences about secrets are not secrets."""
        text = self.everywhere("***", "{x}", x="no password, no API key, rpd-ab12 was revoked")
        self.assertIn("no password, no API key, rpd-ab12 was revoked", text)
