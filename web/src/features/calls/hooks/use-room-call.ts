import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { onRoomEvent } from "@/realtime";
import { getRoomCall } from "../api/get-room-call";

const key = (roomId: string) => ["room", roomId, "call"] as const;

/** Whether a call goes on in the room, as its log tells. */
export function useRoomCall(roomId: string): boolean {
  const queries = useQueryClient();
  const { data } = useQuery({ queryKey: key(roomId), queryFn: ({ signal }) => getRoomCall(roomId, signal) });
  useEffect(
    () =>
      onRoomEvent(({ room_id, type }) => {
        if (room_id !== roomId || (type !== "call.started" && type !== "call.ended")) return;
        void queries.invalidateQueries({ queryKey: key(roomId) });
      }),
    [roomId, queries],
  );
  return (data?.call ?? null) !== null;
}
