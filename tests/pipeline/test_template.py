from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.pipeline.template import LARGEST, Template, variables

VALUES: dict[str, Any] = {
    "name": "Ada",
    "empty": "",
    "zero": 0,
    "args": {"vip": "yes", "items": "three", "dishes": ["pasta", "pizza"], "_secret": "s"},
}


def render(source: str) -> str:
    return Template(source).render(VALUES)


class Language(SynchronousTestCase):
    def test_variables(self) -> None:
        """By name and by path; what is in a mapping comes before what a mapping can do."""
        self.assertEqual(
            render("Hi {{name}}, {{ args.vip }} {{args['items']}}"), "Hi Ada, yes three"
        )
        self.assertEqual(render("{{ args.items }}"), "three")
        self.assertEqual(render("{{ args.dishes[1] }}"), "pizza")

    def test_unknown(self) -> None:
        """What is unknown is nothing, however deep."""
        self.assertEqual(render("[{{ x }}{{ x.y.z }}{{ args.n.m }}{{ args.dishes[7] }}]"), "[]")

    def test_plain(self) -> None:
        """A text without variables is itself, braces, ends of lines and all."""
        for text in ("", "Hello.\n", "{not a variable}", "100 % {"):
            self.assertEqual(render(text), text)

    def test_default(self) -> None:
        """A default for what is missing or empty, in both spellings."""
        self.assertEqual(render('{{ x | default("y") }}'), "y")
        self.assertEqual(render('{{ empty|default:"y" }} {{ name|default:name }}'), "y Ada")
        self.assertEqual(render("{{ zero | default('y') }}"), "0")

    def test_colon_outside(self) -> None:
        """Outside of tags, a bar and a colon are text."""
        self.assertEqual(render('{{ name }} |note: "x"'), 'Ada |note: "x"')

    def test_if(self) -> None:
        """Conditions with else, comparisons and tests."""
        source = "{% if args.vip == 'yes' and name %}VIP{% elif x %}X{% else %}no{% endif %}"
        self.assertEqual(render(source), "VIP")
        self.assertEqual(render("{% if not x is defined %}a{% endif %}"), "a")
        self.assertEqual(render("{{ 'a' if x else 'b' }}"), "b")

    def test_for(self) -> None:
        """A list is gone through."""
        self.assertEqual(
            render("{% for dish in args.dishes %}{{ dish | upper }} {% endfor %}"), "PASTA PIZZA "
        )

    def test_values_are_not_templates(self) -> None:
        """What a caller brings is text, even when it looks like a template."""
        self.assertEqual(
            Template("{{ name }}").render({"name": "{{ args.vip }}"}), "{{ args.vip }}"
        )


class Refused(SynchronousTestCase):
    def test_line(self) -> None:
        """A mistake is told with its line."""
        for source in ("one\n{{ name", "one\n{% if %}", "one\n{{ name | nonsense }}", "1\n{% x %}"):
            with self.assertRaisesRegex(MisconfiguredAssistant, "line 2"):
                Template(source)

    def test_power(self) -> None:
        """Whatever could run long, grow or reach out is no part of the language."""
        for source in (
            "{{ 'x' * 1000000000 }}",
            "{{ 9 ** 9 ** 9 }}",
            "{{ range(9) }}",
            "{{ name.upper() }}",
            "{% set x = name ~ name %}",
            "{% macro m() %}{% endmacro %}",
            "{% include 'file' %}",
            "{% import 'file' as f %}",
            "{% for a in name %}{% for b in name %}{% endfor %}{% endfor %}",
            "{{ [1, 2] }}",
            "{{ name | attr('upper') }}",
            "{{ name | center(1000000000) }}",
            "{{ '%1000000000d' | format(1) }}",
            "{% filter upper %}{% endfilter %}",
        ):
            self.assertRaises(MisconfiguredAssistant, Template, source)

    def test_attributes(self) -> None:
        """No attribute of a Python value is within reach."""
        self.assertEqual(render("{{ name.__class__ }}{{ name.upper }}{{ args.keys }}"), "")

    def test_mismatch(self) -> None:
        """Comparing a text with a number is the template's mistake."""
        self.assertRaises(MisconfiguredAssistant, render, "{% if name > 5 %}{% endif %}")

    def test_too_large(self) -> None:
        """Neither the template nor what it makes is larger than the bound."""
        self.assertRaises(MisconfiguredAssistant, Template, "{{x}}" + "x" * LARGEST)
        wide = Template("{% for c in name %}{{ name }}{% endfor %}")
        self.assertRaises(MisconfiguredAssistant, wide.render, {"name": "x" * 2000})

    def test_too_deep(self) -> None:
        """Thousands of brackets are refused, too."""
        self.assertRaises(MisconfiguredAssistant, Template, "{{ " + "(" * 5000 + ")" * 5000 + " }}")

    @settings(deadline=None, max_examples=200)
    @given(st.text(st.sampled_from("{}%|:.[]()'\" ~-#=<>abifelsendrx01\n"), max_size=60))
    def test_anything(self, source: str) -> None:
        """Any source is a template or refused as one."""
        with contextlib.suppress(MisconfiguredAssistant):
            Template("{{" + source).render(VALUES)


class Names(SynchronousTestCase):
    def setUp(self) -> None:
        self.values = variables(
            assistant_id=7,
            assistant_name="Roma",
            conversation_id=8,
            identifier="+15551234567",
            direction="inbound",
            now=datetime(2026, 11, 21, 19, 5, 9, tzinfo=UTC),
            arguments={"name": "Ada", "system": "mine"},
        )

    def test_system(self) -> None:
        """The moment of the call, in every form."""
        self.assertEqual(
            self.values["system"],
            {
                "current_date": "2026-11-21",
                "current_time": "19:05:09",
                "current_datetime": "2026-11-21 19:05:09",
                "day_of_week": "Saturday",
                "date_rfc1123": "Sat, 21 Nov 2026 19:05:09 GMT",
                "date_unix": 1795287909,
                "date_unix_ms": 1795287909000,
            },
        )

    def test_call(self) -> None:
        """The assistant's and the conversation's names."""
        source = (
            "{{assistant.name}} {{assistant.id}} {{conversation.identifier}} {{conversation.id}}"
        )
        self.assertEqual(Template(source).render(self.values), "Roma 7 +15551234567 8")

    def test_arguments(self) -> None:
        """Arguments are at the root and under args; they do not hide what is ours."""
        source = "{{ name }} {{ args.name }} {{ args.system }} {{ system.day_of_week }}"
        self.assertEqual(Template(source).render(self.values), "Ada Ada mine Saturday")
