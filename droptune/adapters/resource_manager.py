"""Azure Resource Manager for one Azure OpenAI account, through requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from droptune.adapters import arm
from droptune.adapters.failures import Refusal
from droptune.domain.deployment import (
    Account,
    AccountModel,
    Capacity,
    Deployment,
    DeploymentRequest,
)
from droptune.domain.errors import NotFoundError, RequestRejectedError, TransientError

if TYPE_CHECKING:
    from requests import Response, Session

API_VERSION = "2025-09-01"
PERMISSIONS_API_VERSION = "2022-04-01"
DEPLOY = "Microsoft.CognitiveServices/accounts/deployments/write"
_CONNECT_SECONDS, _READ_SECONDS = 5, 60


class RequestsResourceManager:
    """Implements ResourceManager with plain GET, PUT and DELETE, without waits and retries."""

    def __init__(
        self,
        endpoint: str,
        resource_id: str,
        *,
        token: Callable[[], str],
        api_version: str = API_VERSION,
        session: Session | None = None,
    ) -> None:
        """Name the account by its resource id (`/subscriptions/…/accounts/…`).

        Args:
            token: returns a valid bearer token for each request.
        """
        self._endpoint = endpoint.rstrip("/")
        self._account = "/" + resource_id.strip("/")
        self._token = token
        self._api_version = api_version
        self._given_session = session

    def get_account(self) -> Account:
        """See ResourceManager."""
        return arm.account(self._get(self._account, "asking for the account"))

    def list_models(self) -> Sequence[AccountModel]:
        """See ResourceManager."""
        found = self._list(f"{self._account}/models", "listing the account's models")
        return tuple(map(arm.account_model, found))

    def list_capacities(self, model: str, version: str) -> Sequence[Capacity]:
        """See ResourceManager.

        Source: ModelCapacities_List, in the edition for one location (arm-cognitiveservices).
        """
        provider = f"{self._subscription}/providers/Microsoft.CognitiveServices"
        path = f"{provider}/locations/{quote(self._location)}/modelCapacities"
        query = {"modelFormat": "OpenAI", "modelName": model, "modelVersion": version}
        return tuple(map(arm.capacity, self._list(path, "asking for capacity", query)))

    def may_deploy(self) -> bool:
        """See ResourceManager."""
        path = f"{self._account}/providers/Microsoft.Authorization/permissions"
        query = {"api-version": PERMISSIONS_API_VERSION}
        permissions = self._list(path, "asking for the identity's permissions", query)
        return any(arm.permits(permission, DEPLOY) for permission in permissions)

    def list_deployments(self) -> Sequence[Deployment]:
        """See ResourceManager."""
        found = self._list(f"{self._account}/deployments", "listing the deployments")
        return tuple(map(arm.deployment, found))

    def find_deployment(self, name: str) -> Deployment | None:
        """See ResourceManager."""
        try:
            return arm.deployment(self._get(self._path_of(name), f"asking for deployment {name}"))
        except NotFoundError:
            return None

    def put_deployment(self, request: DeploymentRequest) -> Deployment:
        """See ResourceManager.

        Looks first: a PUT on a deployment in the making is answered 409 (Unverified: its text).
        """
        existing = self.find_deployment(request.name)
        if existing is not None:
            return existing
        path, doing = self._path_of(request.name), f"creating deployment {request.name}"
        return arm.deployment(
            _json(self._send("PUT", path, doing, body=arm.body_of(request)), doing)
        )

    def delete_deployment(self, name: str) -> None:
        """See ResourceManager."""
        try:
            self._send("DELETE", self._path_of(name), f"deleting deployment {name}")
        except NotFoundError:
            return

    def _path_of(self, name: str) -> str:
        return f"{self._account}/deployments/{quote(name, safe='')}"

    @cached_property
    def _location(self) -> str:
        return self.get_account().location

    @property
    def _subscription(self) -> str:
        return "/".join(self._account.split("/")[:3])

    @cached_property
    def _session(self) -> Session:
        if self._given_session is not None:
            return self._given_session
        from requests import Session

        return Session()

    def _get(self, path: str, doing: str) -> Any:
        return _json(self._send("GET", path, doing), doing)

    def _list(
        self, path: str, doing: str, query: Mapping[str, str] | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """Iterate over all pages; the token goes to no other host than the endpoint."""
        page = _json(self._send("GET", path, doing, query=query), doing)
        while True:
            yield from arm.entries(page)
            link = page.get("nextLink")
            if not link:
                return
            if urlsplit(link)[:2] != urlsplit(self._endpoint)[:2]:
                raise RequestRejectedError(f"{doing}: the next page is on another host")
            page = _json(self._request("GET", link, doing), doing)

    def _send(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Response:
        params = {"api-version": self._api_version, **(query or {})}
        return self._request(method, self._endpoint + path, doing, params=params, json=body)

    def _request(self, method: str, url: str, doing: str, **more: Any) -> Response:
        from requests import RequestException

        try:
            answer = self._session.request(
                method,
                url,
                headers={"Authorization": f"Bearer {self._token()}"},
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                allow_redirects=False,
                **more,
            )
        except RequestException as error:
            raise TransientError(f"{doing}: no answer ({type(error).__name__})") from error
        if answer.status_code >= 300:
            raise _refusal(answer, doing).error(datetime.now(UTC))
        return answer


def _refusal(answer: Response, doing: str) -> Refusal:
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    return Refusal(doing=doing, status=answer.status_code, body=body, headers=answer.headers)


def _json(answer: Response, doing: str) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError as error:
        raise TransientError(f"{doing}: the answer is not JSON") from error
    if not isinstance(body, Mapping):
        raise TransientError(f"{doing}: the answer is no JSON object")
    return body
