"""Webhooks as a part of the house: with a way out of their own, which leads outside alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rapida_tw.calls.journal import Journal
from rapida_tw.config.sections import Webhooks as Settings
from rapida_tw.ids import Ids
from rapida_tw.net.public import PublicEndpoints
from rapida_tw.net.service import RealNet
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.credentials import Credentials
from rapida_tw.store.database import Database
from rapida_tw.webhooks.service import Webhooks


def guarded_webhooks(
    reactor: Any,
    database: Database,
    assistants: Assistants,
    credentials: Credentials,
    conversations: Conversations,
    journal: Journal,
    settings: Settings,
    ids: Ids,
    now: Callable[[], float],
    node: str,
) -> Webhooks:
    """They share no connection with those to vendors, who may be anywhere."""
    net = RealNet(reactor, PublicEndpoints(reactor, settings.allowed_networks))
    return Webhooks(
        reactor,
        database,
        assistants,
        credentials,
        conversations,
        journal,
        net,
        settings,
        ids,
        now,
        node,
        closing=net.stop,
    )
