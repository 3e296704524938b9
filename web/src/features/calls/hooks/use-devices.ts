import { useEffect, useState } from "react";
import { followDevices, listDevices, type Device } from "@/media";

/** The devices there are, as they come and go. `asked` changes once a permission was given: only then they have names. */
export function useDevices(asked: unknown): readonly Device[] {
  const [devices, setDevices] = useState<readonly Device[]>([]);
  useEffect(() => {
    let gone = false;
    const refresh = () => {
      listDevices().then(
        (found) => {
          if (!gone) setDevices(found);
        },
        () => undefined, // a list that cannot be had stays as it was
      );
    };
    refresh();
    const stop = followDevices(refresh);
    return () => {
      gone = true;
      stop();
    };
  }, [asked]);
  return devices;
}
