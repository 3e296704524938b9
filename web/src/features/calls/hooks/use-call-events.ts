import { useEffect, useLayoutEffect } from "react";
import { onCallEvent, useConnection } from "@/realtime";
import { addRing, desk, stopRing } from "../model/desk";
import { forgetFarewell, forgetFarewells, isDeclined, tellFarewells } from "../model/farewell";
import { followOtherTabs } from "../model/one-call";

/** Keeps what rings, and what other tabs are in. */
export function useCallEvents(userId: string): void {
  const { status } = useConnection();
  useEffect(() => {
    const stop = onCallEvent((event) => {
      if (event.name === "call.ringing") {
        if (!isDeclined(event.payload.call.id)) addRing(event.payload.call);
      } else if (event.name === "call.ringing.stopped" || event.name === "call.ended") {
        stopRing(event.payload.call_id);
        if (event.name === "call.ended") forgetFarewell(event.payload.call_id);
      }
    });
    const unfollow = followOtherTabs(userId, (elsewhere) => desk.setState({ elsewhere }));
    return () => {
      stop();
      unfollow();
      desk.setState({ rings: [], wanted: undefined, elsewhere: undefined });
      forgetFarewells();
    };
  }, [userId]);
  // Before the effects that go on with a call: the server shall not take one for being in the last still.
  useLayoutEffect(() => {
    if (status === "online") tellFarewells();
  }, [status]);
  useEffect(() => {
    // What still rings is told again after `ready`.
    if (status !== "online") desk.setState({ rings: [] });
  }, [status]);
}
