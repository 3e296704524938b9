import { useProfile, useRoom } from "@/realtime";
import type { ActiveCall } from "../model/desk";
import { useCallName } from "./use-call-name";

export interface Other {
  /** Of the user; of the room while nobody is there. */
  id: string;
  name: string;
  muted: boolean;
  camera: MediaStreamTrack | undefined;
  screen: MediaStreamTrack | undefined;
}

/** The other one in a call, with the pictures that they send. */
export function useOther({ roomId, others: [participant], remote }: ActiveCall): Other {
  const roomName = useCallName(roomId);
  const peer = useRoom(roomId)?.peer;
  const profile = useProfile(participant?.user_id ?? "");
  return {
    id: participant?.user_id ?? peer?.id ?? roomId,
    name: profile?.display_name ?? roomName,
    muted: participant?.audio === false,
    camera: participant?.video === true ? remote?.camera : undefined,
    screen: participant?.screen === true ? remote?.screen : undefined,
  };
}
