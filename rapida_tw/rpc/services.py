"""All services together: what the gRPC side is put together from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from rapida_tw.calls.call_request import Placing
from rapida_tw.rpc.assistant_talk import AssistantTalk
from rapida_tw.rpc.assistants import Assistants
from rapida_tw.rpc.base import Method, Methods
from rapida_tw.rpc.conversations import Conversations
from rapida_tw.rpc.deployments import PhoneDeployments
from rapida_tw.rpc.health import Health
from rapida_tw.rpc.http_logs import HttpLogs
from rapida_tw.rpc.phone_calls import PhoneCalls
from rapida_tw.rpc.server import RpcServer
from rapida_tw.rpc.telemetry import TelemetryRecords
from rapida_tw.rpc.tools import Tools
from rapida_tw.rpc.vault import CredentialVault
from rapida_tw.rpc.webhooks import AssistantWebhooks
from rapida_tw.store.client_metrics import ClientMetricStore
from rapida_tw.store.credential_documents import Known
from rapida_tw.store.records import (
    AssistantStore,
    ConversationStore,
    CredentialStore,
    KeyStore,
)
from rapida_tw.store.telemetry import TelemetryStore
from rapida_tw.webhooks.documents import Deliverer


@dataclass(frozen=True, slots=True)
class RpcDependencies:
    """See the classes of each module. `trouble`: why no new call is taken, or ""."""

    clock: IReactorTime
    keys: KeyStore
    assistants: AssistantStore
    credentials: CredentialStore
    conversations: ConversationStore
    metrics: ClientMetricStore
    telemetry: TelemetryStore
    placing: Placing | None
    known: Callable[[], Awaitable[Known]]
    trouble: Callable[[], str]
    now: Callable[[], float]  # seconds since the epoch
    talk: AssistantTalk | None = None
    bulk: Placing | None = None  # of many calls at once, which wait for their turns
    deliverer: Deliverer | None = None  # None: no webhooks are told


def build_rpc(deps: RpcDependencies) -> RpcServer:
    """The factory of connections that have begun with HTTP/2's preface."""
    return RpcServer(deps.clock, deps.keys, methods(deps))


def methods(deps: RpcDependencies) -> Methods:
    """Every method that is answered with more than UNIMPLEMENTED."""
    found: dict[str, Method] = {}
    if deps.placing is not None:
        found |= PhoneCalls(deps.placing, deps.bulk).methods()
    if deps.talk is not None:
        found |= deps.talk.methods()
    found |= Conversations(deps.conversations, deps.metrics, deps.now).methods()
    found |= TelemetryRecords(deps.telemetry).methods()
    found |= Assistants(deps.assistants, deps.credentials).methods()
    found |= Tools(deps.assistants).methods()
    found |= AssistantWebhooks(deps.assistants).methods()
    if deps.deliverer is not None:
        found |= HttpLogs(deps.deliverer).methods()
    found |= PhoneDeployments(deps.assistants, deps.credentials).methods()
    found |= CredentialVault(deps.credentials, deps.known).methods()
    services = frozenset(path.split("/")[1] for path in found)
    return {**found, **Health(deps.trouble, services).methods()}
