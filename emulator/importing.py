"""Files that the service fetches from a URL."""

from __future__ import annotations

import tempfile
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

_PIECE = 1 << 20
_SECONDS = 60


def fetch(url: str, folder: Path, *, most_bytes: int) -> tuple[Path, str]:
    """Copy what a URL answers to a temporary file of `folder`; return its path and what went wrong.

    Unverified: the texts, and that a failed import is a file that ends `error`.
    """
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
        path = Path(file.name)
        if urlsplit(url).scheme not in ("http", "https"):
            return path, "The content_url is not an absolute URL of http or https."
        try:
            with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
                while (piece := answer.read(_PIECE)) and file.tell() <= most_bytes:
                    file.write(piece)
        except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
            return path, f"The content could not be read from its URL ({type(error).__name__})."
    return path, ""
