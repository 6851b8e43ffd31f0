"""One pass over a dataset's bytes: what is wrong with it, how long it is, what training costs."""

from droptune.validation.formats import render_text
from droptune.validation.report import FileReport, Report, TokenFigures, ValidationRequest
from droptune.validation.sources import BytesSource, FileSource, Source
from droptune.validation.validator import validate

__all__ = [
    "BytesSource",
    "FileReport",
    "FileSource",
    "Report",
    "Source",
    "TokenFigures",
    "ValidationRequest",
    "render_text",
    "validate",
]
