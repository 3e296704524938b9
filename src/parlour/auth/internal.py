"""What other services ask of auth over HTTP: who somebody is, and what changed while the bus could not tell."""

from litestar import Router, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, SkipValidation

from parlour.auth.service import Auth
from parlour.platform.contracts import (
    CHANGES_PATH,
    PROFILES_PATH,
    USERNAMES_PATH,
    Changes,
    ChangesWanted,
    Profiles,
    ProfilesWanted,
    UsernamesWanted,
)
from parlour.platform.ids import is_uuid
from parlour.platform.services import service_router

NAME = "auth"

Service = NamedDependency[SkipValidation[Auth]]


@post(PROFILES_PATH.removeprefix(f"/internal/{NAME}"), status_code=200)
async def profiles(*, auth: Service, data: JSONBody[ProfilesWanted]) -> Profiles:
    """Return them as they are now: who asks remembers them, and must not begin with what this process remembered."""
    found = await auth.directory.profiles((user_id for user_id in data.ids if is_uuid(user_id)), anew=True)
    return Profiles({str(user_id): profile for user_id, profile in found.items()})


@post(USERNAMES_PATH.removeprefix(f"/internal/{NAME}"), status_code=200)
async def usernames(*, auth: Service, data: JSONBody[UsernamesWanted]) -> Profiles:
    """A name belongs to the same user for ever; what else this process remembered of them may be out of date."""
    return Profiles(await auth.directory.by_usernames(data.names))


@post(CHANGES_PATH.removeprefix(f"/internal/{NAME}"), status_code=200)
async def changes(*, auth: Service, data: JSONBody[ChangesWanted]) -> Changes:
    """Return what the bus would have told since then."""
    return await auth.changes(data.since)


def router(auth: Auth, secret: str) -> Router:
    """Return the routes, for who has the `secret` of services."""
    return service_router(
        NAME, secret, [profiles, usernames, changes], {"auth": Provide(lambda: auth, sync_to_thread=False)}
    )
