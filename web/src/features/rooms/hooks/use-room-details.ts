import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { onRoomEvent } from "@/realtime";
import { getRoom } from "../api/get-room";
import { membersKey } from "./use-members";

const detailsKey = (roomId: string) => ["room", roomId, "details"] as const;
export const pinsKey = (roomId: string) => ["room", roomId, "pins"] as const;

/** What the list of rooms does not tell of one: how many are in it, and since when it is. */
export function useRoomDetails(roomId: string) {
  return useQuery({ queryKey: detailsKey(roomId), queryFn: ({ signal }) => getRoom(roomId, signal) });
}

/** Fetch members, pins and details anew when the room's log tells of a change to them. */
export function useFreshDetails(roomId: string): void {
  const queries = useQueryClient();
  useEffect(
    () =>
      onRoomEvent((event) => {
        if (event.room_id !== roomId) return;
        switch (event.type) {
          case "member.joined":
          case "member.left":
          case "room.updated":
            void queries.invalidateQueries({ queryKey: membersKey(roomId) });
            void queries.invalidateQueries({ queryKey: detailsKey(roomId) });
            return;
          case "message.pinned":
          case "message.unpinned":
          case "message.edited":
          case "message.deleted":
            void queries.invalidateQueries({ queryKey: pinsKey(roomId) });
            return;
          default:
            return;
        }
      }),
    [roomId, queries],
  );
}
