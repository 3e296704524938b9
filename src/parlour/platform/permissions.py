"""The one table of who may do what, shared by HTTP and sockets."""

from enum import StrEnum


class Role(StrEnum):
    """What a user is on this server, from most to least."""

    OWNER = "owner"
    ADMIN = "admin"
    MODERATOR = "moderator"
    MEMBER = "member"
    GUEST = "guest"


class RoomRole(StrEnum):
    """What a user is in one room, from most to least."""

    OWNER = "owner"
    MODERATOR = "moderator"
    MEMBER = "member"
    GUEST = "guest"


class Permission(StrEnum):
    """Something that a role allows."""

    # The server
    MANAGE_USERS = "manage_users"
    CREATE_ROOM = "create_room"
    BROWSE_ROOMS = "browse_rooms"
    JOIN_PUBLIC_ROOM = "join_public_room"
    START_DIRECT = "start_direct"
    SEARCH_DIRECTORY = "search_directory"
    # One room, for its members
    READ = "read"
    SEND = "send"
    REACT = "react"
    EDIT_OWN = "edit_own"
    DELETE_OWN = "delete_own"
    DELETE_ANY = "delete_any"
    PIN = "pin"
    MENTION_ROOM = "mention_room"
    INVITE = "invite"
    REMOVE_MEMBER = "remove_member"
    UPDATE_ROOM = "update_room"
    CHANGE_ROOM_ROLES = "change_room_roles"
    START_CALL = "start_call"
    JOIN_CALL = "join_call"
    REMOVE_FROM_CALL = "remove_from_call"


_GUEST_IN_ROOM = {
    Permission.READ,
    Permission.SEND,
    Permission.REACT,
    Permission.EDIT_OWN,
    Permission.DELETE_OWN,
    Permission.JOIN_CALL,
}
_MEMBER_IN_ROOM = _GUEST_IN_ROOM | {
    Permission.MENTION_ROOM,
    Permission.INVITE,
    Permission.PIN,
    Permission.START_CALL,
}
_MODERATOR_IN_ROOM = _MEMBER_IN_ROOM | {
    Permission.DELETE_ANY,
    Permission.REMOVE_MEMBER,
    Permission.UPDATE_ROOM,
    Permission.REMOVE_FROM_CALL,
}
_OWNER_IN_ROOM = _MODERATOR_IN_ROOM | {Permission.CHANGE_ROOM_ROLES}

IN_ROOM: dict[RoomRole, frozenset[Permission]] = {
    RoomRole.GUEST: frozenset(_GUEST_IN_ROOM),
    RoomRole.MEMBER: frozenset(_MEMBER_IN_ROOM),
    RoomRole.MODERATOR: frozenset(_MODERATOR_IN_ROOM),
    RoomRole.OWNER: frozenset(_OWNER_IN_ROOM),
}

_MEMBER_ON_SERVER = {
    Permission.CREATE_ROOM,
    Permission.BROWSE_ROOMS,
    Permission.JOIN_PUBLIC_ROOM,
    Permission.START_DIRECT,
    Permission.SEARCH_DIRECTORY,
}

ON_SERVER: dict[Role, frozenset[Permission]] = {
    Role.GUEST: frozenset(),
    Role.MEMBER: frozenset(_MEMBER_ON_SERVER),
    Role.MODERATOR: frozenset(_MEMBER_ON_SERVER),
    Role.ADMIN: frozenset(_MEMBER_ON_SERVER | {Permission.MANAGE_USERS}),
    Role.OWNER: frozenset(_MEMBER_ON_SERVER | {Permission.MANAGE_USERS}),
}

# A server's staff moderates every room that it is a member of; it does not read rooms that it is not in.
_RAISED: dict[Role, RoomRole] = {
    Role.OWNER: RoomRole.OWNER,
    Role.ADMIN: RoomRole.OWNER,
    Role.MODERATOR: RoomRole.MODERATOR,
}


def allowed(role: Role, permission: Permission, room_role: RoomRole | None = None) -> bool:
    """Tell whether `role` on the server, and `room_role` in the room where one is concerned, permit `permission`."""
    if permission in ON_SERVER[role]:
        return True
    if room_role is None:
        return False
    if role is Role.GUEST and permission not in IN_ROOM[RoomRole.GUEST]:
        return False
    return permission in IN_ROOM[room_role] or (role in _RAISED and permission in IN_ROOM[_RAISED[role]])
