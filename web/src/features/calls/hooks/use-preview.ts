import { useCallback, useEffect, useRef, useState } from "react";
import { meterTrack, type Line, type MediaProblem } from "@/media";
import { LocalMedia } from "../model/local-media";

export interface Preview {
  camera: MediaStreamTrack | undefined;
  /** 0 to 1. */
  level: number;
  /** What is on; a device that could not be had is off. */
  on: { microphone: boolean; camera: boolean };
  /** What the call is to begin with: devices take their time to open, and whoever calls before that wants them all the same. */
  wanted: { microphone: boolean; camera: boolean };
  problems: Readonly<Partial<Record<"microphone" | "camera", MediaProblem | undefined>>>;
  toggle: (source: "microphone" | "camera") => void;
  /** Take the device that is chosen now. */
  reopen: (source: "microphone" | "camera") => void;
}

/** One's own camera and microphone before a call; closed with the component, the call opens its own. */
export function usePreview(): Preview {
  const [tracks, setTracks] = useState<Partial<Record<Line, MediaStreamTrack | undefined>>>({});
  const [problems, setProblems] = useState<Preview["problems"]>({});
  const [off, setOff] = useState({ microphone: false, camera: false });
  const [level, setLevel] = useState(0);
  const media = useRef<LocalMedia>(undefined);
  const reopen = useCallback((source: "microphone" | "camera") => void media.current?.open(source), []);
  useEffect(() => {
    const local = new LocalMedia({
      changed: (line, track) => setTracks((before) => ({ ...before, [line]: track ?? undefined })),
      problem: (source, problem) => setProblems((before) => ({ ...before, [source]: problem })),
      lost: (source) => {
        local.close(source);
        setOff((before) => ({ ...before, [source]: true }));
      },
    });
    media.current = local;
    void local.open("microphone").then(() => local.open("camera"));
    return () => local.closeAll();
  }, []);
  const { microphone } = tracks;
  useEffect(() => (microphone === undefined ? undefined : meterTrack(microphone, setLevel)), [microphone]);
  const on = { microphone: microphone !== undefined, camera: tracks.camera !== undefined };
  return {
    camera: tracks.camera,
    level: microphone === undefined ? 0 : level,
    on,
    wanted: {
      microphone: !off.microphone && problems.microphone === undefined,
      camera: !off.camera && problems.camera === undefined,
    },
    problems,
    toggle: (source) => {
      setOff((before) => ({ ...before, [source]: on[source] }));
      if (on[source]) media.current?.close(source);
      else reopen(source);
    },
    reopen,
  };
}
