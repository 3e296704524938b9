"""What other services ask of auth over HTTP: who somebody is."""

from litestar import Router, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, SkipValidation

from parlour.auth.service import Directory
from parlour.platform.contracts import (
    PROFILES_PATH,
    USERNAMES_PATH,
    Profiles,
    ProfilesWanted,
    UsernamesWanted,
)
from parlour.platform.ids import is_uuid
from parlour.platform.services import service_router

NAME = "auth"

Users = NamedDependency[SkipValidation[Directory]]


@post(PROFILES_PATH.removeprefix(f"/internal/{NAME}"), status_code=200)
async def profiles(*, directory: Users, data: JSONBody[ProfilesWanted]) -> Profiles:
    """Return them as they are now: who asks remembers them, and must not begin with what this process remembered."""
    found = await directory.profiles((user_id for user_id in data.ids if is_uuid(user_id)), anew=True)
    return Profiles({str(user_id): profile for user_id, profile in found.items()})


@post(USERNAMES_PATH.removeprefix(f"/internal/{NAME}"), status_code=200)
async def usernames(*, directory: Users, data: JSONBody[UsernamesWanted]) -> Profiles:
    """A name belongs to the same user for ever; what else this process remembered of them may be out of date."""
    return Profiles(await directory.by_usernames(data.names))


def router(directory: Directory, secret: str) -> Router:
    """Return the routes, for who has the `secret` of services."""
    return service_router(
        NAME, secret, [profiles, usernames], {"directory": Provide(lambda: directory, sync_to_thread=False)}
    )
