"""What an assistant brings to one call."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls.context import CallContext
from rapida_tw.calls.script import script
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.base import Message
from rapida_tw.store.records import Assistant, Deployment, PromptMessage

ASSISTANT = Assistant(
    5,
    3,
    "Reception",
    "the front desk",
    prompt=(PromptMessage("system", "You are {{assistant.description}}. Order {{args.order}}."),),
    tools=({"name": "collect_digits"},),
)
CONTEXT = CallContext(9, 5, 3, "asterisk", caller="0301234", metadata={"order": "17"})


class ScriptTests(SynchronousTestCase):
    """Texts are rendered, the rest is taken as it is."""

    def test_texts(self) -> None:
        """Greeting, messages and prompt know the assistant, the caller and the arguments."""
        deployment = Deployment(
            5,
            greeting="{{assistant.name}}, hello!",
            error_message="Sorry, {{args.order}}.",
            idle_message="{{assistant.name}} is waiting.",
        )
        made = script(ASSISTANT, deployment, CONTEXT, 1_700_000_000.0)
        self.assertEqual(made.experience.greeting, "Reception, hello!")
        self.assertEqual(made.experience.error_message, "Sorry, 17.")
        self.assertEqual(made.experience.idle_message, "Reception is waiting.")
        self.assertEqual(made.prompt, (Message("system", "You are the front desk. Order 17."),))
        self.assertEqual(made.tools, ASSISTANT.tools)

    def test_times(self) -> None:
        """The deployment's times and rules are the conversation's."""
        deployment = Deployment(
            5,
            greeting_interruptible=False,
            idle_timeout=11.0,
            idle_timeout_retries=4,
            max_call_duration=60.0,
        )
        made = script(ASSISTANT, deployment, CONTEXT, 0.0).experience
        self.assertEqual(
            (made.greeting_interruptible, made.idle_timeout, made.idle_retries, made.max_duration),
            (False, 11.0, 4, 60.0),
        )

    def test_bad_template(self) -> None:
        """A template that cannot be read is the assistant's mistake, wherever it stands."""
        for deployment in (Deployment(5, greeting="{% for %}"), Deployment(5, idle_message="{{")):
            with self.assertRaises(MisconfiguredAssistant):
                script(ASSISTANT, deployment, CONTEXT, 0.0)
