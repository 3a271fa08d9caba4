"""Stories of calls with models of vendors, by HTTP, before their fakes."""

from __future__ import annotations

import json
from typing import Any

from rapida_tw.sim.vendors.answering import Called, Trouble, Turn
from rapida_tw.sim.vendors.anthropic import Anthropic
from rapida_tw.sim.vendors.gemini import Gemini
from rapida_tw.sim.vendors.openai_chat import OpenAIChat
from rapida_tw.sim.vendors.openai_responses import OpenAIResponses
from rapida_tw.simulation import Simulation
from tests.simulation.case import Stories

FAKES: dict[str, Any] = {
    "openai": OpenAIChat,
    "openai-responses": OpenAIResponses,
    "anthropic": Anthropic,
    "gemini": Gemini,
}


class VendorModelTests(Stories):
    """The same stories with each vendor."""

    def _check(self, sim: Simulation) -> None:
        """Connections to vendors are kept for the next call, and are the server's, not a call's."""
        sim.asterisk.hang_up()
        sim.clock.run(sim.clock.seconds() + 2.0)
        self.assertEqual(sim.server.net.leftovers(), [])
        sim.server.net.stop()
        super()._check(sim)

    def call(self, vendor: str, *turns: Turn, **options: Any) -> tuple[Simulation, Any]:
        fake = FAKES[vendor](turns)
        sim = self.story(
            model={}, model_vendor=vendor, model_key=fake.key, vendors=(fake,), **options
        )
        return sim, fake

    def test_spoken_while_it_is_written(self) -> None:
        """The first sentence is heard although the vendor is still writing the second."""
        text = "That is a good question. Let me tell you all that I know about it now."
        for vendor in FAKES:
            sim, _ = self.call(vendor, Turn(text, between=0.3))
            sim.says("please", at=0.5, lasting=0.5)
            sim.run(until=12.0)
            self.assertLess(sim.caller.heard[0].start, 3.5, vendor)  # the vendor needs 4.8 s
            self.assertEqual(sim.dialogue[-1], ("assistant", text), vendor)
            self.assertEqual(sim.metrics["agent.input_token"], "20", vendor)
            self.assertGreaterEqual(float(sim.metrics["agent.ttft_ms"]), 200, vendor)

    def test_interrupted(self) -> None:
        """The vendor notices at once that nobody listens; the next prompt shows the cut."""
        long = Turn("One two three four five six seven. " * 5, between=0.4)
        for vendor in FAKES:
            sim, fake = self.call(vendor, long, Turn("Yes?"), greeting="Hello.")
            sim.says("please", at=1.5, lasting=0.5)
            sim.says("wait", at=7.0, lasting=0.7)
            sim.run(until=6.9)
            self.assertFalse(fake.replies[0].gone, vendor)
            sim.run(until=8.0)
            self.assertTrue(fake.replies[0].gone, vendor)
            sim.run(until=12.0)
            self.assertEqual(sim.dialogue[-1], ("assistant", "Yes?"), vendor)
            prompt = json.dumps(fake.bodies[1], ensure_ascii=False)
            self.assertIn("Hello.", prompt, vendor)
            self.assertRegex(prompt, "One two[a-z .O]*—", vendor)

    def test_tool(self) -> None:
        """A goodbye with a tool ends the call."""
        for vendor in FAKES:
            sim, _ = self.call(vendor, Turn("Goodbye.", (Called("end_call"),)))
            sim.says("please", at=0.5, lasting=0.5)
            sim.run(until=8.0)
            self.assertEqual(sim.metrics["call.disconnected_by"], "assistant", vendor)
            self.assertEqual(sim.dialogue[-1], ("assistant", "Goodbye."), vendor)

    def test_failure(self) -> None:
        """A vendor that fails for good is excused by the house; one that fails once is not."""
        for vendor in FAKES:
            sick = Turn("One.", trouble=Trouble.ERROR_FIRST)
            sim, _ = self.call(vendor, sick, Turn("Two."), sick, sick, error_message="Sorry.")
            sim.says("please", at=0.5, lasting=0.5)
            sim.run(until=6.0)
            self.assertEqual(sim.dialogue[-1], ("assistant", "Two."), vendor)
            sim.says("please", at=6.5, lasting=0.5)
            sim.run(until=12.0)
            self.assertEqual(sim.dialogue[-1], ("assistant", "Sorry."), vendor)
