import { useEffect, useRef } from "react";
import { ring } from "@/media";
import type { ActiveCall } from "../model/desk";
import { useDevicePreferences } from "../model/device-preferences";
import type { Phase } from "../model/phase";

/** What one hears of a call: the other one, their screen, and the ringing at them. Apart from what shows, which comes and goes. */
export function CallSounds({ call, phase }: { call: ActiveCall; phase: Phase }) {
  const ringing = phase === "ringing";
  useEffect(() => (ringing ? ring("outgoing") : undefined), [ringing]);
  if (call.remote === undefined || call.ended !== undefined) return null;
  return (
    <>
      <Sound track={call.remote.microphone} />
      <Sound track={call.remote.screenAudio} />
    </>
  );
}

function Sound({ track }: { track: MediaStreamTrack }) {
  const element = useRef<HTMLAudioElement>(null);
  const speaker = useDevicePreferences((preferences) => preferences.audiooutput?.id) ?? "";
  useEffect(() => {
    if (element.current !== null) element.current.srcObject = new MediaStream([track]);
  }, [track]);
  useEffect(() => {
    const audio = element.current as { setSinkId?: (id: string) => Promise<void> } | null;
    // A speaker that is gone, or a browser without the choice: the system's own one.
    audio?.setSinkId?.(speaker).catch(() => undefined);
  }, [speaker]);
  // eslint-disable-next-line jsx-a11y-x/media-has-caption -- a person who speaks now has no captions
  return <audio ref={element} autoPlay />;
}
