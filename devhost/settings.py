"""`%NAME%` in a binding or in host.json: the value of an app setting."""

from __future__ import annotations

import os
import re


class MissingSettingError(Exception):
    """A `%NAME%` names a setting that is not there."""


def resolve(text: str) -> str:
    """Return a text with each `%NAME%` replaced by its setting; raises MissingSettingError."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in os.environ:
            raise MissingSettingError(f"{text!r} needs the app setting {name}, which is not set")
        return os.environ[name]

    return re.sub(r"%([^%]+)%", value, text)
