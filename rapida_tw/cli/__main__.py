"""`python -m rapida_tw.cli`, where the console script is not installed."""

from __future__ import annotations

import sys

from rapida_tw.cli.command import main

sys.exit(main())
