import { useEffect, useRef, type Ref } from "react";
import { cn } from "@/lib/cn";

export interface PictureProps {
  track: MediaStreamTrack;
  label: string;
  /** One's own camera is shown as a mirror does. */
  mirrored?: boolean;
  /** Show all of it rather than fill the place: screens. */
  whole?: boolean;
  className?: string;
  ref?: Ref<HTMLVideoElement>;
}

/** A moving picture; its sound is elsewhere. */
export function Picture({ track, label, mirrored = false, whole = false, className, ref }: PictureProps) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (element.current !== null) element.current.srcObject = new MediaStream([track]);
  }, [track]);
  return (
    <video
      ref={(video) => {
        element.current = video;
        if (typeof ref === "function") ref(video);
        else if (ref !== null && ref !== undefined) ref.current = video;
      }}
      aria-label={label}
      autoPlay
      playsInline
      muted
      className={cn("size-full", whole ? "object-contain" : "object-cover", mirrored && "-scale-x-100", className)}
    />
  );
}
