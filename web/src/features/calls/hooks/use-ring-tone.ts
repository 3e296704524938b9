import { useEffect, useEffectEvent } from "react";
import { useNavigate } from "react-router";
import { roomPath } from "@/lib/paths";
import type { CallView } from "@/realtime";
import { startRinging } from "../model/ringing";

// Typed as always there, it is kept from pages without HTTPS.
const locks = (navigator as { locks?: LockManager }).locks;

/** Ring while mounted, in one tab of several. */
export function useRingTone({ id: callId, room_id: roomId }: CallView, title: string): void {
  const navigate = useNavigate();
  const open = useEffectEvent((path: string) => void navigate(path));
  useEffect(() => {
    const stop = new AbortController();
    const until = new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve()));
    const sound = async () => {
      const silence = startRinging({ callId, title, path: roomPath(roomId) }, (path) => open(path));
      await until;
      silence();
    };
    if (locks === undefined) void sound();
    else locks.request("parlour-ring", { signal: stop.signal }, sound).catch(() => undefined); // another tab rang
    return () => stop.abort();
  }, [callId, roomId, title]);
}
