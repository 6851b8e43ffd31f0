"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AppOption = Annotated[
    str | None,
    typer.Option("--app", metavar="URL", help="The app in Azure; else DROPTUNE_APP, else local."),
]
StateOption = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", help="The local installation; .droptune/state if none."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print what the route answers, alone.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's id.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Kept with the decision.")]
MetricOption = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="NAME=FIGURE",
        help="A figure of your own evaluation, kept with the decision; may be repeated.",
    ),
]
ScaleOption = Annotated[
    float, typer.Option("--time-scale", min=1, max=10_000, help="How fast local training goes.")
]
