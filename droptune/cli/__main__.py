"""The command line, once everything is there."""

from __future__ import annotations

import sys

from droptune.cli.main import main

sys.exit(main())
