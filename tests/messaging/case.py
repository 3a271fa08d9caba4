"""A server's conversations in writing in virtual time, with the farm's Twilio at the far end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.account import NOBODY, Account
from rapida_tw.carriers.base import WebhookRequest
from rapida_tw.carriers.twilio_whatsapp import IncomingMessage, read_message, read_status
from rapida_tw.messaging.chat import Texts
from rapida_tw.messaging.messaging import Messaging
from rapida_tw.messaging.outgoing import MessageRequest, MessageSent
from rapida_tw.models.base import Model
from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.sim.switchboard import Switchboard, Ways
from rapida_tw.sim.twilio_placed import TwilioAccount
from rapida_tw.sim.twilio_rest import TwilioRest
from rapida_tw.simulation import VirtualServer, done
from rapida_tw.simulation.server import HOST
from rapida_tw.store.records import Conversation, Deployment
from rapida_tw.store.threads import Threads
from tests.messaging.fakes import HeldModel, no_makers

TOKEN = "0123456789abcdef0123456789abcdef"
PERSON, NUMBER = "+15550100001", "+14155238886"
SORRY = "Sorry, please write again later."
HOOK = f"https://{HOST}/v1/talk/whatsapp/1"


class HeldModels:
    """A provider whose models the test answers by hand."""

    description = "held"

    def __init__(self) -> None:
        self.opened: list[HeldModel] = []

    def open(self, options: Mapping[str, Any], account: Account = NOBODY) -> Model:
        self.opened.append(HeldModel())
        return self.opened[-1]

    def stop(self) -> Deferred[None]:
        return succeed(None)


class MessagingCase(SynchronousTestCase):
    credential = True

    def setUp(self) -> None:
        self.models = HeldModels()
        self.board = Switchboard()
        self.rest = TwilioRest(self.board, TwilioAccount(token=TOKEN))
        self.server = VirtualServer({}, {}, model_provider=self.models, vendors=[self.rest])
        self.clock = self.server.clock
        self.board.plug_in(
            Ways(self.clock, self._callback, _no_media, self.server.metronome, self.server.now)
        )
        self.callbacks: list[dict[str, str]] = []
        self.threads = Threads(self.server.database, self.server.now)
        self.workers: list[Messaging] = []
        self.messaging = self.worker()
        self.deploy(self.credential)

    def deploy(self, credential: bool) -> None:
        """With the account at Twilio, or with none."""
        number = None
        if credential:
            value = {"account_sid": self.rest.account.sid, "account_token": TOKEN}
            made = self.server.credentials.create(self.server.project_id, "Main", "twilio", value)
            number = done(made).id
        deployment = Deployment(
            self.server.assistant_id,
            "twilio",
            number,
            {"phone": NUMBER},
            greeting="Thank you for calling.",
            error_message=SORRY,
        )
        done(self.server.assistants.deploy(deployment))

    def worker(self) -> Messaging:
        """Another process on the same database."""
        server = self.server
        made = Messaging(
            self.clock,
            server.assistants,
            server.credentials,
            server.conversations,
            self.threads,
            server.journal,
            server.vendors,
            no_makers(),
            server.net,
            server.ids,
            server.now,
            server.calls,
        )
        self.workers.append(made)
        return made

    def tearDown(self) -> None:
        for worker in self.workers:
            worker.stop()
        self.wait(120)
        self.board.stop()
        self.wait(120)
        self.assertEqual(self.rest.troubles.complaints, {})
        self.assertEqual(self.server.leftovers(), [])

    # -- the person -------------------------------------------------------------------------------

    def write(self, text: str, worker: Messaging | None = None, **more: str) -> Deferred[Texts]:
        """A message of the person's, as far as the webhook's answer."""
        message = self.message(text, **more)
        inbox = (worker or self.messaging).whatsapp
        answer = inbox.received(
            message, self.server.assistant_id, self.server.project_id, status_url
        )
        self.wait(0.01)
        return answer

    def message(self, text: str, **more: str) -> IncomingMessage:
        request = self.rest.messages.written(HOOK, PERSON, text, NUMBER, **more)
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        return read_message(WebhookRequest("POST", "/", form=form))

    def wait(self, seconds: float = 1.0) -> None:
        self.clock.run(self.clock.seconds() + seconds)

    @property
    def read(self) -> list[str]:
        """What has reached the person."""
        return [one.body for one in self.rest.messages.sent if one.status != "failed"]

    @property
    def model(self) -> HeldModel:
        """The newest."""
        return self.models.opened[-1]

    # -- the house --------------------------------------------------------------------------------

    def send(self, text: str = "", **more: Any) -> Deferred[MessageSent]:
        """By the API."""
        request = MessageRequest(
            self.server.project_id, self.server.assistant_id, PERSON, text=text, **more
        )
        return self.messaging.outgoing.send(request, status_url)

    def conversations(self) -> list[Conversation]:
        """The newest first, with all their entries."""
        page = done(self.server.conversations.page(self.server.project_id, 1, 50))
        return [done(self.server.conversations.get(one.id)) for one in page.items]

    def said(self) -> list[tuple[str, str]]:
        """What the newest conversation's history has of both sides."""
        return [
            (one.name, one.value)
            for one in self.conversations()[0].entries
            if one.kind == "message"
        ]

    def events(self, prefix: str = "message.") -> list[str]:
        entries = self.conversations()[0].entries
        return [one.name for one in entries if one.kind == "event" and one.name.startswith(prefix)]

    def _callback(self, request: HttpRequest) -> Deferred[HttpAnswer]:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        self.callbacks.append(form)
        status = read_status(WebhookRequest("POST", "/", form=form))
        conversation_id = int(request.url.rpartition("=")[2])
        told = self.messaging.deliveries.told(
            status, self.server.assistant_id, self.server.project_id, conversation_id
        )
        return told.addCallback(lambda _: HttpAnswer(201))


def status_url(conversation_id: int) -> str:
    return f"{HOOK}/event?conversation={conversation_id}"


def _no_media(media: object, line: object) -> Deferred[object]:
    raise NotImplementedError
