"""Assistants and their deployments: what is put in comes out, to whom it belongs."""

from __future__ import annotations

from dataclasses import replace

from rapida_tw.errors import AssistantNotFound, BadRequest, ChangedMeanwhile, NotFound
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.records import Assistant, Deployment, PromptMessage, VendorChoice
from tests.store.case import START, StoreCase


class AssistantsTests(StoreCase):
    def setUp(self) -> None:
        super().setUp()
        self.assistants = Assistants(self.database, self.ids, self.clock.seconds)

    def create(self, name: str = "Ada", **fields: object) -> Assistant:
        new = Assistant(id=0, project_id=self.project, name=name, **fields)  # type: ignore[arg-type]
        return self.successResultOf(self.assistants.create(new))

    def test_whole(self) -> None:
        """Every field comes back as it was given, and the id and the times are ours."""
        made = self.create(
            description="at the desk",
            model=VendorChoice("openai", 2**62, {"temperature": 0.5, "stop": ["a"]}),
            prompt=(PromptMessage("system", "Be kind — 你好"),),
            tools=({"name": "end_call"},),
        )
        self.assertEqual(self.successResultOf(self.assistants.get(made.id)), made)
        self.assertEqual((made.created, made.updated), (START, START))
        self.assertGreater(made.id, 0)

    def test_fallbacks(self) -> None:
        """A model's fallbacks are kept with it, in their order."""
        fallbacks = (VendorChoice("groq", 5), VendorChoice("scripted", options={"start": "a"}))
        made = self.create(model=VendorChoice("openai", 4, fallbacks=fallbacks))
        found = self.successResultOf(self.assistants.get(made.id))
        self.assertEqual(found.model.fallbacks, fallbacks)

    def test_given_id(self) -> None:
        """An id that is asked for is used once, and refused when it is taken."""
        chosen = Assistant(id=7, project_id=self.project, name="Ada")
        self.assertEqual(self.successResultOf(self.assistants.create(chosen)).id, 7)
        self.failureResultOf(self.assistants.create(chosen), BadRequest)

    def test_unknown_project(self) -> None:
        """Nothing is made for a project that does not exist."""
        self.failureResultOf(self.assistants.create(Assistant(0, 1, "Ada")), NotFound)

    def test_other_project(self) -> None:
        """With another project's key an assistant is not found: it cannot even be guessed."""
        made = self.create()
        self.failureResultOf(self.assistants.get(made.id, 1), AssistantNotFound)
        self.failureResultOf(self.assistants.delete(made.id, 1), AssistantNotFound)
        stolen = replace(made, project_id=1)
        self.failureResultOf(self.assistants.update(stolen), AssistantNotFound)

    def test_update(self) -> None:
        """An update changes what it says and its own stamp, never when it was made."""
        made = self.create()
        self.clock.advance(5)
        changed = replace(made, name="Eve", created=0.0)
        stored = self.successResultOf(self.assistants.update(changed))
        self.assertEqual(stored, replace(made, name="Eve", updated=START + 5))
        self.assertEqual(self.successResultOf(self.assistants.get(made.id)), stored)

    def test_two_at_once(self) -> None:
        """Whoever has read it before another's change does not take that back."""
        made = self.create()
        self.clock.advance(1)
        self.successResultOf(self.assistants.update(replace(made, description="by the one")))
        late = self.assistants.update(replace(made, name="by the other"))
        self.failureResultOf(late, ChangedMeanwhile)
        found = self.successResultOf(self.assistants.get(made.id))
        self.assertEqual((found.name, found.description), ("Ada", "by the one"))
        self.successResultOf(self.assistants.update(replace(found, name="by the other")))

    def test_delete(self) -> None:
        """What was deleted is gone, with its deployment."""
        made = self.create()
        self.successResultOf(self.assistants.deploy(Deployment(made.id)))
        self.successResultOf(self.assistants.delete(made.id, self.project))
        self.failureResultOf(self.assistants.get(made.id), AssistantNotFound)
        self.failureResultOf(self.assistants.deployment(made.id), AssistantNotFound)

    def test_pages(self) -> None:
        """Pages, newest first, hold each assistant once, and know how many there are."""
        made = [self.create(str(n)).id for n in range(5)]
        pages = [self.successResultOf(self.assistants.page(self.project, n, 2)) for n in (1, 2, 3)]
        self.assertEqual([item.id for page in pages for item in page.items], made[::-1])
        self.assertEqual([(page.number, page.size, page.total) for page in pages][-1], (3, 2, 5))

    def test_no_page(self) -> None:
        """Behind the last page there is an empty one; so is another project's first."""
        self.create()
        self.assertEqual(self.successResultOf(self.assistants.page(self.project, 9)).items, [])
        self.assertEqual(self.successResultOf(self.assistants.page(1)).total, 0)

    def test_default_deployment(self) -> None:
        """An assistant that was never deployed is on the phone as by default."""
        made = self.create()
        found = self.successResultOf(self.assistants.deployment(made.id))
        self.assertEqual(found, Deployment(made.id))

    def test_deployment(self) -> None:
        """Every field of a deployment comes back; a second one replaces the first."""
        made = self.create()
        self.successResultOf(self.assistants.deploy(Deployment(made.id, greeting="first")))
        wanted = Deployment(
            made.id,
            provider="twilio",
            credential_id=3,
            options={"phone": "+15550100"},
            greeting="Hello",
            greeting_interruptible=False,
            error_message="Sorry",
            idle_timeout=7.5,
            idle_message="Well?",
            idle_timeout_retries=0,
            max_call_duration=60.0,
            stt=VendorChoice("deepgram", 4, {"listen.language": "en"}),
            tts=VendorChoice("elevenlabs"),
            vad=VendorChoice("energy"),
            end_of_speech=VendorChoice("silence", None, {"timeout": 700}),
            recording=False,
        )
        stored = self.successResultOf(self.assistants.deploy(wanted))
        self.assertEqual(stored, replace(wanted, updated=START))
        self.assertEqual(self.successResultOf(self.assistants.deployment(made.id)), stored)

    def test_nobody_to_deploy(self) -> None:
        """An unknown assistant is not deployed."""
        self.failureResultOf(self.assistants.deploy(Deployment(1)), AssistantNotFound)

    def deploy(self, **fields: object) -> Assistant:
        made = self.create()
        self.successResultOf(self.assistants.deploy(Deployment(made.id, **fields)))  # type: ignore[arg-type]
        return made

    def test_dialled(self) -> None:
        """A number leads to the assistant that is deployed on it, with or without the +."""
        made = self.deploy(options={"phone": "+15550100"})
        self.deploy(options={"phone": "15550199"})
        self.deploy()
        for number in ("+15550100", "15550100"):
            found = self.successResultOf(self.assistants.dialled(number, self.project))
            self.assertEqual(found, made)
        self.assertEqual(self.successResultOf(self.assistants.dialled("15550100")), made)

    def test_dialled_by_nobody(self) -> None:
        """No deployment, another project's, or two: nobody."""
        self.deploy(options={"phone": "+15550100"})
        for _ in range(2):
            self.deploy(options={"phone": "+15550177"})
        for number, project in (("555", None), ("15550100", 77), ("+15550177", None), ("", None)):
            self.assertIsNone(self.successResultOf(self.assistants.dialled(number, project)))

    def test_on_trunk(self) -> None:
        """A trunk's credential leads to the one assistant that uses it."""
        made = self.deploy(provider="sip", credential_id=4)
        for _ in range(2):
            self.deploy(provider="sip", credential_id=5)
        self.assertEqual(self.successResultOf(self.assistants.on_trunk(4)), made)
        for number in (5, 6):
            self.assertIsNone(self.successResultOf(self.assistants.on_trunk(number)))

    def test_foul_text(self) -> None:
        """Characters that a database cannot hold are replaced, and cost nothing else."""
        made = self.create(name="A\x00da \ud800!")
        found = self.successResultOf(self.assistants.get(made.id))
        self.assertEqual(found.name, "A\N{REPLACEMENT CHARACTER}da ?!")
