"""Chat over HTTP: rooms, members, messages, search and what a member keeps of a room."""

from litestar import Router

from parlour.chat.http import members, messages, own, rooms, search
from parlour.chat.http.services import ChatServices, provided

__all__ = ["ChatServices", "router"]


def router(services: ChatServices) -> Router:
    """Return the routes of chat under /api; every one needs a caller."""
    return Router(
        "/api",
        route_handlers=[
            rooms.list_rooms,
            rooms.create_room,
            rooms.browse_rooms,
            rooms.get_room,
            rooms.update_room,
            members.join_room,
            members.leave_room,
            members.list_members,
            members.add_member,
            members.remove_named_member,
            members.remove_member,
            members.set_role,
            messages.list_messages,
            messages.get_message,
            messages.list_pins,
            messages.send_message,
            messages.edit_message,
            messages.delete_message,
            messages.add_reaction,
            messages.remove_reaction,
            messages.pin_message,
            messages.unpin_message,
            search.search_messages,
            own.mark_read,
            own.list_drafts,
            own.save_draft,
            own.set_notifications,
        ],
        dependencies={"chat": provided(services)},
    )
