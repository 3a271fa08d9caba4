"""A fake of Asterisk's REST interface: requests and the event socket (ARI of Asterisk 22).

Strict where the real one is: a dial string that it cannot use is "Allocation failed", what is done
to channels outside of an application is 409, and who answers while the application is not there is
hung up. Where the real one ignores what it does not know, this one refuses it.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from twisted.internet.interfaces import IReactorTime

from rapida_tw.sim.ari_channels import Channel, Channels
from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.serving import VendorSite

Found = tuple[int, Any]  # status and document

_ORIGINATE: Final = {
    *("endpoint", "extension", "context", "priority", "label", "app", "appArgs", "callerId"),
    *("timeout", "channelId", "otherChannelId", "originator", "formats"),
}
_MEDIA: Final = {
    *("channelId", "app", "external_host", "encapsulation", "transport", "connection_type"),
    *("format", "direction", "data", "transport_data"),
}
_HOST: Final = re.compile(r"[^:/]+:\d+")
_NO_CONTENT: Final = 204


class Wrong(Exception):
    """A request that is refused; `status` and a message."""

    def __init__(self, status: int, message: str, name: str = "message") -> None:
        super().__init__(message)
        self.answer: Found = status, {name: message}


class FakeAri:
    """`trunks`: PJSIP endpoints that can be dialled through; `contexts`: of the dialplan.

    `clients`: names in websocket_client.conf. `ignoring`: requests that are never answered, by
    method and the end of the path; `ignoring_before` are not carried out either. `refusals`: those
    that are answered with a status. `reach(channel)`: whether the media channel's far side, we, is
    there. `asked`: every request, but for the events.
    """

    def __init__(self, clock: IReactorTime, password: str = "ari-secret") -> None:
        self.hosts: tuple[str, ...] = ("asterisk.test",)
        self.user, self.password = "rapida", password
        self.read_only = False
        self.trunks = {"trunk"}
        self.contexts = {"rapida-outbound", "people"}
        self.clients = {"rapida"}
        self.ignoring: set[tuple[str, str]] = set()
        self.ignoring_before: set[tuple[str, str]] = set()
        self.refusals: dict[tuple[str, str], tuple[int, Mapping[str, str]]] = {}
        self.reach: Callable[[Channel], bool] = lambda channel: True
        self.asked: list[tuple[str, str, Mapping[str, str]]] = []
        self.sessions: dict[str, AriSession] = {}
        self.heard: dict[str, set[str]] = {}  # applications by the trunk whose events they want
        self.channels = Channels(clock, self.tell)
        self._clock = clock

    # -- events -----------------------------------------------------------------------------------

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        if not self._logged_in(asked):
            return Refusal(401, json.dumps({"message": "Authentication required"}))
        app = asked.one("app")
        if asked.path != "/ari/events" or not app:
            return Refusal(404, json.dumps({"message": "Resource not found"}))
        before = self.sessions.get(app)
        if before is not None:
            before.line.send({"type": "ApplicationReplaced", "application": app})
        self.sessions[app] = session = AriSession(self, app, line)
        return session

    def tell(self, app: str, event: Mapping[str, Any]) -> bool:
        session = self.sessions.get(app)
        if session is None:
            return False
        session.line.send(event)
        return True

    def cut(self) -> None:
        """Every event socket is lost."""
        for session in tuple(self.sessions.values()):
            session.line.drop()

    # -- requests ---------------------------------------------------------------------------------

    def _logged_in(self, asked: Asked) -> bool:
        pair = f"{self.user}:{self.password}"
        basic = "Basic " + b64encode(pair.encode()).decode()
        return asked.headers.get("authorization") == basic or asked.one("api_key") == pair

    def answer(self, asked: Asked, reply: Reply) -> None:
        query = {name: values[-1] for name, values in asked.query.items()}
        path = asked.path.removeprefix("/ari")
        self.asked.append((asked.method, path, query))
        if _listed(self.ignoring_before, asked.method, path):
            return
        try:
            status, document = self._do(asked, path, query)
        except Wrong as wrong:
            status, document = wrong.answer
        if _listed(self.ignoring, asked.method, path):
            return
        reply.whole(status, b"" if status == _NO_CONTENT else document)

    def _do(self, asked: Asked, path: str, query: Mapping[str, str]) -> Found:
        if not self._logged_in(asked):
            raise Wrong(401, "Authentication required")
        if self.read_only and asked.method != "GET":
            raise Wrong(403, "Write access denied")
        if not asked.path.startswith("/ari/"):
            raise Wrong(404, "Resource not found")
        for (method, end), refusal in self.refusals.items():
            if method == asked.method and path.endswith(end):
                return refusal
        body = _body(asked)
        allowed = False
        for method, pattern, work in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == asked.method:
                return work(self, query, body, *found.groups())
            allowed = allowed or bool(found)
        raise Wrong(405, "Invalid method") if allowed else Wrong(404, "Resource not found")

    def ping(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Found:
        return 200, {"asterisk_id": "00:11:22:33:44:55", "ping": "pong", "timestamp": "x"}

    def list_channels(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Found:
        return 200, [channel.document() for channel in self.channels.all.values()]

    def show(self, query: Mapping[str, str], body: Mapping[str, Any], name: str) -> Found:
        return 200, self._channel(name).document()

    def originate(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Found:
        _known(query, _ORIGINATE)
        endpoint, name = query.get("endpoint", ""), query.get("channelId", "")
        if not endpoint:
            raise Wrong(400, "Endpoint must be specified")
        app, context = query.get("app", ""), query.get("context", "")
        if not app and not query.get("extension"):
            raise Wrong(400, "Application or extension must be specified")
        if name in self.channels.all:
            raise Wrong(409, "Channel with given unique ID already exists")
        if not self._can_dial(endpoint):
            raise Wrong(500, "Allocation failed", "error")
        channel = Channel(
            name or f"1795196486.{len(self.channels.all)}",
            f"{endpoint.partition('/')[0]}/x-00000001",
            app,
            [part for part in query.get("appArgs", "").split(",") if part],
            dialplan=("", "") if app else (context, query["extension"]),
            asked=query,
            variables=_variables(body),
        )
        if endpoint.startswith("PJSIP/"):
            channel.watchers |= self.heard.get(endpoint.rpartition("@")[2], set())
        self.channels.dial(channel, endpoint, float(query.get("timeout", "30")))
        return 200, channel.document()

    def _can_dial(self, endpoint: str) -> bool:
        """As chan_pjsip and the Local channel read a dial string; other drivers are not there."""
        technology, _, rest = endpoint.partition("/")
        if technology == "PJSIP":
            trunk, slash, uri = rest.partition("/")
            if slash:
                return trunk in self.trunks and uri.startswith(("sip:", "sips:"))
            user, at, trunk = rest.rpartition("@")
            return trunk in self.trunks if not at else bool(user) and trunk in self.trunks
        if technology == "Local":
            return rest.removesuffix("/n").partition("@")[2] in self.contexts
        return False

    def external_media(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Found:
        _known(query, _MEDIA)
        for needed in ("app", "external_host", "format"):
            if not query.get(needed):
                raise Wrong(400, f"{needed} must not be empty")
        if query["app"] not in self.sessions:
            raise Wrong(400, "Invalid application")
        if query.get("transport") == "websocket":
            self._websocket_media(query)
        elif query.get("encapsulation") == "audiosocket" and query.get("transport") == "tcp":
            _audiosocket_media(query)
        else:
            raise Wrong(501, "The encapsulation and/or transport is not supported")
        data = query.get("data", "")
        channel = Channel(
            query["channelId"], "AudioSocket/x", query["app"], [data] if data else [], asked=query
        )
        reached = self.reach(channel)
        if not reached and query.get("transport") == "tcp":
            raise Wrong(500, "An internal error prevented this request from being handled")
        self.channels.all[channel.id] = channel
        work = self.channels.enter if reached else lambda one: self.channels.destroy(one, 3)
        channel.timers.append(self._clock.callLater(0.02, work, channel))
        return 200, channel.document()

    def _websocket_media(self, query: Mapping[str, str]) -> None:
        if query["external_host"] not in self.clients or query.get("encapsulation") != "none":
            raise Wrong(400, "external_host must be a valid websocket_client connection id")
        if "v(contextId=" not in query.get("transport_data", ""):
            raise Wrong(400, "this fake wants the context in transport_data")

    def hang_up(self, query: Mapping[str, str], body: Mapping[str, Any], name: str) -> Found:
        self.channels.hang_up(self._channel(name), 16, soft=True)
        return _NO_CONTENT, None

    def act(self, query: Mapping[str, str], body: Mapping[str, Any], name: str, what: str) -> Found:
        channel = self._in_stasis(name)
        if what == "dtmf":
            _known(query, {"dtmf", "before", "between", "duration", "after"})
            channel.digits += query["dtmf"]
        else:
            channel.sounds.append(what)
        return _NO_CONTENT, None

    def stop_act(
        self, query: Mapping[str, str], body: Mapping[str, Any], name: str, what: str
    ) -> Found:
        channel = self._in_stasis(name)
        channel.sounds = [sound for sound in channel.sounds if sound != what]
        return _NO_CONTENT, None

    def make_bridge(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Found:
        _known(query, {"type", "bridgeId", "name"})
        self.channels.bridges.setdefault(query["bridgeId"], set())
        return 200, {"id": query["bridgeId"], "channels": [], "bridge_type": query["type"]}

    def end_bridge(self, query: Mapping[str, str], body: Mapping[str, Any], name: str) -> Found:
        self._bridge(name)
        del self.channels.bridges[name]
        return _NO_CONTENT, None

    def add(self, query: Mapping[str, str], body: Mapping[str, Any], name: str) -> Found:
        bridge = self._bridge(name)
        for channel in query["channel"].split(","):
            if channel not in self.channels.all:
                raise Wrong(400, "Channel not found")
            if not self.channels.all[channel].in_stasis:
                raise Wrong(422, "Channel not in Stasis application")
            bridge.add(channel)
        return _NO_CONTENT, None

    def take(self, query: Mapping[str, str], body: Mapping[str, Any], name: str) -> Found:
        bridge = self._bridge(name)
        if query["channel"] not in bridge:
            raise Wrong(422, "Channel not in this bridge")
        bridge.discard(query["channel"])
        return _NO_CONTENT, None

    def subscribe(self, query: Mapping[str, str], body: Mapping[str, Any], app: str) -> Found:
        if app not in self.sessions:
            raise Wrong(404, "Application does not exist")
        scheme, _, name = query["eventSource"].partition(":")
        if scheme == "endpoint" and name.removeprefix("PJSIP/") in self.trunks:
            self.heard.setdefault(name.removeprefix("PJSIP/"), set()).add(app)
            return 200, {"name": app, "endpoint_ids": [name]}
        if scheme != "channel" or name not in self.channels.all:
            raise Wrong(422, "Event source does not exist")
        self.channels.all[name].watchers.add(app)
        return 200, {"name": app, "channel_ids": [name]}

    # -- what is there ----------------------------------------------------------------------------

    def _channel(self, name: str) -> Channel:
        if name not in self.channels.all:
            raise Wrong(404, "Channel not found")
        return self.channels.all[name]

    def _in_stasis(self, name: str) -> Channel:
        channel = self._channel(name)
        if not channel.in_stasis:
            raise Wrong(409, "Channel not in Stasis application")
        return channel

    def _bridge(self, name: str) -> set[str]:
        if name not in self.channels.bridges:
            raise Wrong(404, "Bridge not found")
        return self.channels.bridges[name]


def ari_site(ari: FakeAri, clock: IReactorTime) -> VendorSite:
    """The factory for a real port (`listenTCP`), where it is asked under any name."""
    return VendorSite(lambda host, path: (ari, path), clock)


class AriSession:
    """One event socket."""

    def __init__(self, ari: FakeAri, app: str, line: Line) -> None:
        self.line = line
        self._ari = ari
        self._app = app

    def opened(self) -> None:
        """Nothing is said."""

    def received(self, message: bytes, binary: bool) -> None:
        raise AssertionError("ARI is asked by HTTP here")

    def closed(self, code: int) -> None:
        if self._ari.sessions.get(self._app) is self:
            del self._ari.sessions[self._app]


_CHANNEL, _BRIDGE = r"/channels/([^/]+)", r"/bridges/([^/]+)"
_ROUTES: Final[tuple[tuple[str, str, Callable[..., Found]], ...]] = (
    ("GET", "/asterisk/ping", FakeAri.ping),
    ("GET", "/channels", FakeAri.list_channels),
    ("POST", "/channels", FakeAri.originate),
    ("POST", "/channels/externalMedia", FakeAri.external_media),
    ("GET", _CHANNEL, FakeAri.show),
    ("DELETE", _CHANNEL, FakeAri.hang_up),
    ("POST", _CHANNEL + "/(ring|moh|dtmf)", FakeAri.act),
    ("DELETE", _CHANNEL + "/(ring|moh)", FakeAri.stop_act),
    ("POST", "/bridges", FakeAri.make_bridge),
    ("DELETE", _BRIDGE, FakeAri.end_bridge),
    ("POST", _BRIDGE + "/addChannel", FakeAri.add),
    ("POST", _BRIDGE + "/removeChannel", FakeAri.take),
    ("POST", r"/applications/([^/]+)/subscription", FakeAri.subscribe),
)


def _listed(rules: set[tuple[str, str]], method: str, path: str) -> bool:
    return any(one == method and path.endswith(end) for one, end in rules)


def _known(query: Mapping[str, str], names: set[str]) -> None:
    unknown = set(query) - names
    if unknown:
        raise Wrong(400, f"unknown parameters {sorted(unknown)}")


def _body(asked: Asked) -> Mapping[str, Any]:
    if not asked.body:
        return {}
    if not asked.headers.get("content-type", "").startswith("application/json"):
        raise Wrong(400, "the body is no JSON")
    try:
        document = json.loads(asked.body)
    except ValueError:
        raise Wrong(400, "Request body is not valid JSON") from None
    return document if isinstance(document, dict) else {}


def _variables(body: Mapping[str, Any]) -> Mapping[str, str]:
    variables = body.get("variables", {})
    if not isinstance(variables, dict) or not all(isinstance(v, str) for v in variables.values()):
        raise Wrong(400, "variables must be an object of strings")
    return variables


def _audiosocket_media(query: Mapping[str, str]) -> None:
    if not _HOST.fullmatch(query["external_host"]):
        raise Wrong(400, "external_host must be <host>:<port>")
    if not query.get("data"):
        raise Wrong(400, "data can not be empty")
    try:
        UUID(query["data"])
    except ValueError:
        raise Wrong(500, "An internal error prevented this request from being handled") from None


_conforms: tuple[type[FakeVendor], type[Session]] = (FakeAri, AriSession)
