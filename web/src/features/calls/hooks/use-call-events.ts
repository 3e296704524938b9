import { useEffect } from "react";
import { onCallEvent, useConnection } from "@/realtime";
import { addRing, desk, stopRing } from "../model/desk";
import { followOtherTabs } from "../model/one-call";

/** Keeps what rings, and what other tabs are in. */
export function useCallEvents(userId: string): void {
  const { status } = useConnection();
  useEffect(() => {
    const stop = onCallEvent((event) => {
      if (event.name === "call.ringing") addRing(event.payload.call);
      else if (event.name === "call.ringing.stopped" || event.name === "call.ended") stopRing(event.payload.call_id);
    });
    const unfollow = followOtherTabs(userId, (elsewhere) => desk.setState({ elsewhere }));
    return () => {
      stop();
      unfollow();
      desk.setState({ rings: [], wanted: undefined, elsewhere: undefined });
    };
  }, [userId]);
  useEffect(() => {
    // What still rings is told again after `ready`.
    if (status !== "online") desk.setState({ rings: [] });
  }, [status]);
}
