"""Exit codes, and the one way in which a command says that it cannot go on."""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """What a command's end means to the program that called it."""

    YES = 0
    NO = 1
    WRONG_USAGE = 2
    NOT_REACHED = 3
    INTERRUPTED = 130


_CODES = {Exit.NO: "refused", Exit.WRONG_USAGE: "wrong-usage", Exit.NOT_REACHED: "not-reached"}


class Refusal(Exception):
    """The command cannot go on: what is wrong, what would be right, and the exit code."""

    def __init__(self, message: str, remedy: str = "", *, code: Exit = Exit.NOT_REACHED) -> None:
        """Say it in a sentence each."""
        super().__init__(message)
        self.remedy = remedy
        self.code = code

    @property
    def document(self) -> dict[str, Any]:
        """What `--json` prints: the words of a problem document that the app never sent."""
        code = _CODES.get(self.code, "refused")
        return {"code": code, "detail": str(self), "remedy": self.remedy}
