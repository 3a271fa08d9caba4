"""A real CampaignService for sites in memory: it is stored, and nobody is rung up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert
from twisted.internet.defer import maybeDeferred

from rapida_tw.campaigns.pace import Limits
from rapida_tw.campaigns.service import CampaignService
from rapida_tw.ids import Ids
from rapida_tw.store import schema
from rapida_tw.store.campaign_queue import CampaignQueue
from rapida_tw.store.campaigns import Campaigns
from rapida_tw.store.database import Database
from tests.web.case import WebCase
from tests.web.fake_placing import FakePlacing
from tests.web.fakes import OTHER_PROJECT, PROJECT


def campaign_service(case: WebCase) -> CampaignService:
    """Not started, so that nothing goes out."""
    database = Database("sqlite://", None)
    database.migrate()
    rows = [{"id": one, "name": f"p{one}", "created": 1.0} for one in (PROJECT, OTHER_PROJECT)]
    database.write_now(lambda c: c.execute(insert(schema.project), rows))
    assistants: Any = case.assistants
    now = case.clock.seconds
    ids = Ids(now)
    return CampaignService(
        case.clock,
        Campaigns(database, ids, now),
        CampaignQueue(database, ids, now),
        assistants,
        FakePlacing(),
        case.conversations,
        [],
        Limits(),
        str,
        maybeDeferred,
        "node",
        now,
    )
