"""What an assistant and its deployment bring to one call: texts rendered, tools as they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from rapida_tw.calls.answerer import MachinePolicy
from rapida_tw.calls.call import Script
from rapida_tw.calls.context import CallContext
from rapida_tw.models.base import Message
from rapida_tw.pipeline.experience import Experience
from rapida_tw.pipeline.template import Template, variables
from rapida_tw.store.records import Assistant, Deployment

# Of what comes by no carrier of calls.
_SOURCES = {"whatsapp": "whatsapp", "stream": "sdk"}


def script(
    assistant: Assistant, deployment: Deployment, context: CallContext, now: float
) -> Script:
    """Ready to be spoken and thought; `MisconfiguredAssistant` names a bad template."""
    machine = MachinePolicy.read(deployment.options)
    values = variables(
        assistant_id=assistant.id,
        assistant_name=assistant.name,
        assistant_description=assistant.description,
        conversation_id=context.conversation_id,
        identifier=context.caller,
        direction=context.direction,
        now=datetime.fromtimestamp(now, UTC),
        arguments={**context.metadata, **context.arguments},
        source=_SOURCES.get(context.carrier, "phone-call"),
    )

    def rendered(text: str) -> str:
        return Template(text).render(values)

    return Script(
        Experience(
            greeting=rendered(deployment.greeting),
            greeting_interruptible=deployment.greeting_interruptible,
            error_message=rendered(deployment.error_message),
            idle_timeout=deployment.idle_timeout,
            idle_message=rendered(deployment.idle_message),
            idle_retries=deployment.idle_timeout_retries,
            max_duration=deployment.max_call_duration,
        ),
        tuple(Message(part.role, rendered(part.content)) for part in assistant.prompt),
        assistant.tools,
        replace(machine, message=rendered(machine.message)),
    )
