import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { roomPath } from "@/lib/paths";
import { toast } from "@/lib/toast";
import { useRooms, useSession, type Profile } from "@/realtime";
import { createRoom } from "../api/create-room";
import { useRoomErrorText } from "./use-room-error-text";

/** Go to the direct room with a person (oneself: one's notes); the server makes it where there is none yet. */
export function useStartDirect(done?: () => void) {
  const navigate = useNavigate();
  const errorText = useRoomErrorText();
  const rooms = useRooms();
  const selfId = useSession()?.user.id;
  return useMutation({
    mutationFn: async (person: Profile): Promise<string> => {
      const peerId = person.id === selfId ? undefined : person.id;
      const known = rooms.find((room) => room.kind === "direct" && room.peer?.id === peerId);
      if (known !== undefined) return known.id;
      return (await createRoom({ kind: "direct", members: peerId === undefined ? [] : [peerId] })).id;
    },
    onSuccess: (roomId) => {
      done?.();
      void navigate(roomPath(roomId));
    },
    onError: (error) => toast(errorText(error), { kind: "error" }),
  });
}
