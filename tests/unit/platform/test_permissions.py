"""The table of who may do what."""

from itertools import pairwise

import pytest

from parlour.platform.permissions import IN_ROOM, ON_SERVER, Permission, Role, RoomRole, allowed

ROLES, ROOM_ROLES = list(Role), list(RoomRole)
"""From most to least, as the enums say."""


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("room_role", [None, *ROOM_ROLES])
def test_higher_role_of_the_server_allows_at_least_as_much(permission: Permission, room_role: RoomRole | None) -> None:
    for higher, lower in pairwise(ROLES):
        assert allowed(higher, permission, room_role) >= allowed(lower, permission, room_role)


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", ROLES)
def test_higher_role_in_the_room_allows_at_least_as_much(permission: Permission, role: Role) -> None:
    for higher, lower in pairwise(ROOM_ROLES):
        assert allowed(role, permission, higher) >= allowed(role, permission, lower)
    for room_role in ROOM_ROLES:
        assert allowed(role, permission, room_role) >= allowed(role, permission)


def test_table_is_complete() -> None:
    """Every role has a row, and every permission is somebody's."""
    assert set(ON_SERVER) == set(Role)
    assert set(IN_ROOM) == set(RoomRole)
    assert frozenset().union(*ON_SERVER.values(), *IN_ROOM.values()) == set(Permission)
    assert not ON_SERVER[Role.OWNER] & IN_ROOM[RoomRole.OWNER]


@pytest.mark.parametrize("role", ROLES)
def test_nobody_reads_or_writes_a_room_that_they_are_not_in(role: Role) -> None:
    for permission in IN_ROOM[RoomRole.OWNER]:
        assert not allowed(role, permission)


def test_staff_moderates_the_rooms_that_it_is_in() -> None:
    assert allowed(Role.ADMIN, Permission.CHANGE_ROOM_ROLES, RoomRole.GUEST)
    assert allowed(Role.MODERATOR, Permission.DELETE_ANY, RoomRole.MEMBER)
    assert not allowed(Role.MODERATOR, Permission.CHANGE_ROOM_ROLES, RoomRole.MEMBER)
    assert not allowed(Role.MEMBER, Permission.DELETE_ANY, RoomRole.MEMBER)


def test_guest_of_the_server_stays_a_guest_in_any_room() -> None:
    for permission in Permission:
        assert allowed(Role.GUEST, permission, RoomRole.OWNER) == (permission in IN_ROOM[RoomRole.GUEST])


def test_only_those_who_manage_users_may() -> None:
    assert [role for role in Role if allowed(role, Permission.MANAGE_USERS)] == [Role.OWNER, Role.ADMIN]
