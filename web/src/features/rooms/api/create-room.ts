import { http } from "@/lib/http";
import type { NewRoom, RoomDetails } from "@/realtime";

/** Make a room, or get the direct room that two people have already. */
export function createRoom(room: NewRoom): Promise<RoomDetails> {
  return http.post("/api/rooms", room);
}
