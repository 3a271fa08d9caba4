"""The one request that dials, and what became of it when its answer is lost.

The channel's name is ours, so Asterisk can be asked whether it has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from rapida_tw.ari.client import Client
from rapida_tw.ari.plan import Plan
from rapida_tw.ari.refusal import TAKEN, Declined, not_placed, not_reached
from rapida_tw.carriers.outbound import Outcome, Reach, unsure
from rapida_tw.errors import VendorFailed


@dataclass(frozen=True, slots=True)
class Asked:
    """`refused`: there is no call. `state`: of the channel, where it was looked for.

    `late`: there is none, and yet the request may still be carried out.
    """

    refused: Outcome | None = None
    state: str = ""
    late: bool = False


async def dial(client: Client, plan: Plan) -> Asked:
    """POST /channels, sent once."""
    query, body = plan.originate()
    try:
        await client.ask("POST", "/channels", query, body, once=True)
    except Declined as declined:
        if declined.status != TAKEN:
            return Asked(not_placed(declined, plan.endpoint))
        # Nobody else uses the name: something on the way has repeated the request.
        return await _look(client, plan, declined.said)
    except VendorFailed as error:
        if not error.sent:
            return Asked(not_reached(error))
        return await _look(client, plan, str(error))
    return Asked()


async def _look(client: Client, plan: Plan, why: str) -> Asked:
    lost = Outcome("unreachable", why, "", True, Reach.NOBODY)
    try:
        found = await client.find(plan.channel)
    except (Declined, VendorFailed):
        return Asked(unsure(lost), late=True)
    if found is None:
        return Asked(lost, late=True)
    return Asked(state=str(found.get("state", "")))
