"""`function_app` in this process, with fakes for everything that it talks to."""

from __future__ import annotations

import importlib
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from droptune.settings import Settings
from tests.builders import World

ENVIRONMENT = {
    "AZURE_OPENAI_ENDPOINT": "https://fake.openai.azure.com",
    "AZURE_OPENAI_RESOURCE_ID": "/subscriptions/s/resourceGroups/g/providers/"
    "Microsoft.CognitiveServices/accounts/fake",
    "DATA_STORAGE": "UseDevelopmentStorage=true",
    "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1",
}


def load_function_app() -> ModuleType:
    """Return the module; it reads its settings when it is first imported."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        return importlib.import_module("function_app")


def services_of(world: World) -> Any:
    """Return the app's services on a world's fakes."""
    return load_function_app().Services(
        settings=replace(
            Settings.from_environ(ENVIRONMENT),
            budgets=world.budgets,
            service_limits=world.service_limits,
        ),
        datasets=world.datasets,
        runs=world.runs,
        registry=world.registry,
        azure_openai=world.azure_openai,
        resource_manager=world.resource_manager,
        clock=world.clock,
    )
