"""Writes docs/rules-measured.json, and says where marks and findings differ."""

from __future__ import annotations

import json

from droptune.validation.rule_page import MEASURED
from tests.validation.corpus import held_out
from tests.validation.corpus.measure import compare, document
from tests.validation.corpus.scenes import SCENES

if __name__ == "__main__":
    for each in map(compare, (*SCENES, *held_out.SCENES)):
        for kind, spots in (("alarm", each.said - each.meant), ("miss", each.meant - each.said)):
            for rule, file, line in sorted(spots, key=str):
                print(f"{kind}: {each.name}: {rule}: {file} {line}")
    found = document(SCENES, held_out.SCENES)
    MEASURED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
