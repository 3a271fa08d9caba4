"""Sphinx: `make docs`."""

from __future__ import annotations

from importlib.metadata import version as version_of

project = "rapida_tw"
author = "The rapida_tw authors"
version = release = version_of("rapida-tw")
html_theme = "alabaster"
html_theme_options = {"description": "A telephone for AI assistants", "page_width": "60em"}
html_show_copyright = False
nitpicky = True
