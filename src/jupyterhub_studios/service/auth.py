"""Who is asking: the Hub says, by a token in the request or by the OAuth cookie of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated, UserNotAllowed
from tornado.web import HTTPError, RequestHandler

from ..models import StudiosError
from .core import Service
from .keys import same
from .permissions import Person

BELIEVED = 30  # seconds that the Hub's answer about a token is believed: a revoked one ends then


class Authenticated(HubOAuthenticated, RequestHandler):
    """A handler that can say who is asking, without ever blocking the event loop.

    The Hub's own class does the work: tokens, cookies, XSRF for whoever comes with a cookie. Only its
    synchronous ``current_user`` is replaced.
    """

    @property
    def service(self) -> Service:
        service: Service = self.settings["service"]
        return service

    def get_current_user(self) -> Any:
        return getattr(self, "_cached_hub_user", None)

    async def identify(self) -> Person | None:
        """The person who asks; None: nobody the Hub knows. Somebody without access is an error."""
        model = await self._known()
        if model is None:
            return None
        if model["kind"] != "user":
            raise StudiosError(
                "This API is for people", "the token belongs to a service", "Use a person's token", status=403
            )
        return person_of(model)

    async def _known(self) -> Any:
        """The Hub's model of the person or service that asks."""
        try:
            model = await self.hub_auth.get_user(self, sync=False)
        except HTTPError as error:
            if error.status_code < 500:
                raise
            raise StudiosError(
                "The Hub could not be asked who you are",
                "it does not answer as it should",
                "Try again in a minute",
                status=503,
            ) from None
        if model is None:
            return None
        try:
            self.check_hub_user(model)
        except UserNotAllowed:
            raise StudiosError(
                "You have no access to the studios service",
                "the token or the account lacks the scope access:services!service=studios",
                "Ask an administrator, or request the token with this scope",
                status=403,
            ) from None
        return model

    async def check_culler(self) -> None:
        """A service of the Hub that was given access to this one, or an administrator."""
        model = await self._known()
        if model is None:
            raise StudiosError(
                "This is for the site's culler", "no valid token of the Hub came", "", status=401
            )
        if model["kind"] != "service" and not person_of(model).admin:
            raise StudiosError("This is for the site's culler and administrators", "", "", status=403)

    async def person(self) -> Person:
        found = await self.identify()
        if found is None:
            raise StudiosError(
                "You are not signed in",
                "no valid Hub token came with the request, nor a session cookie with its XSRF token",
                "Send the header “Authorization: token …”, or sign in on the pages",
                status=401,
            )
        return found

    def check_internal(self) -> None:
        """Only the Hub's spawner knows the service's own token."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in ("token", "bearer") or not same(token, self.service.token):
            raise StudiosError("This is for the Hub alone", "", "", status=403)


def person_of(model: Mapping[str, Any]) -> Person:
    """A person as far as this token reaches: an administrator's limited token makes no administrator."""
    info = model.get("user_info") or {}
    return Person(
        name=model["name"],
        display_name=str(info.get("display_name") or info.get("name") or model["name"]),
        admin=bool(model.get("admin")) and "access:servers" in model["scopes"],
        groups=tuple(model.get("groups", ())),
    )


class CallbackHandler(HubOAuthCallbackHandler):
    """End of the Hub's OAuth."""

    def get_current_user(self) -> Any:
        return getattr(self, "_cached_hub_user", None)

    async def prepare(self) -> None:
        # Known before anything asks for it synchronously, which would block the event loop.
        await self.hub_auth.get_user(self, sync=False)
