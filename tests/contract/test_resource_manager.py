"""What a ResourceManager promises, kept by the fake and by the adapter at the emulator."""

from __future__ import annotations

from droptune.domain.deployment import DeploymentState
from tests.contract.worlds import MODEL, MODEL_VERSION, World, a_deployment


def test_account_says_where_it_is(world: World) -> None:
    """An account has a location and an endpoint."""
    account = world.resource_manager.get_account()

    assert account.location
    assert account.endpoint.startswith("http")


def test_models_say_whether_they_can_be_fine_tuned(world: World) -> None:
    """A model has a version, its SKUs, and the capability."""
    models = {(m.name, m.version): m for m in world.resource_manager.list_models()}

    model = models[MODEL, MODEL_VERSION]

    assert model.fine_tune is True
    assert {"GlobalStandard", "DeveloperTier"} <= set(model.skus)


def test_capacities_name_sku_and_location(world: World) -> None:
    """What is open is stated for each SKU in the account's location."""
    location = world.resource_manager.get_account().location

    capacities = world.resource_manager.list_capacities(MODEL, MODEL_VERSION)

    assert "GlobalStandard" in {capacity.sku for capacity in capacities}
    assert {capacity.location.lower() for capacity in capacities} == {location.lower()}


def test_identity_may_deploy(world: World) -> None:
    """Who installed the app as documented may deploy."""
    assert world.resource_manager.may_deploy() is True


def test_missing_deployment_is_none_and_may_be_deleted(world: World, name: str) -> None:
    """Deleting what is not there is no error."""
    world.resource_manager.delete_deployment(name)

    assert world.resource_manager.find_deployment(name) is None


def test_deployment_comes_up_some_time_after_it_was_put(world: World, name: str) -> None:
    """A PUT does not wait; found and listed, the deployment reaches Succeeded."""
    manager = world.resource_manager

    put = manager.put_deployment(a_deployment(name))
    listed = [deployment.name for deployment in manager.list_deployments()]
    world.provision()
    found = manager.find_deployment(name)

    assert put.state in (DeploymentState.ACCEPTED, DeploymentState.CREATING)
    assert (put.name, put.model, put.sku, put.capacity) == (name, MODEL, "GlobalStandard", 1)
    assert name in listed
    assert found is not None
    assert found.state is DeploymentState.SUCCEEDED


def test_repeated_put_is_one_deployment(world: World, name: str) -> None:
    """A step that runs twice makes one deployment, also while it is being made."""
    manager = world.resource_manager
    first = manager.put_deployment(a_deployment(name))

    second = manager.put_deployment(a_deployment(name))
    listed = [each.name for each in manager.list_deployments() if each.name == name]

    assert second.created_at == first.created_at
    assert listed == [name]


def test_deleted_deployment_is_gone_or_going(world: World, name: str) -> None:
    """A deleted deployment is not usable any more."""
    manager = world.resource_manager
    manager.put_deployment(a_deployment(name))
    world.provision()

    manager.delete_deployment(name)
    found = manager.find_deployment(name)

    assert found is None or found.state is DeploymentState.DELETING
