"""`python -m droptune.api.schemas` writes the schema anew, after the shape has changed."""

from __future__ import annotations

import json
from pathlib import Path

from droptune.domain.configuration import json_schema

PUBLISHED = Path(__file__).with_name("fine-tune-job.schema.json")

if __name__ == "__main__":
    PUBLISHED.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
