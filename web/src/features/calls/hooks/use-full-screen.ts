import { useEffect, useState } from "react";

export interface FullScreen {
  possible: boolean;
  on: boolean;
  toggle: () => void;
}

/** The whole app on the whole screen: menus over the call stay in sight. Ends with the component. */
export function useFullScreen(): FullScreen {
  const [on, setOn] = useState(() => document.fullscreenElement !== null);
  useEffect(() => {
    const changed = () => setOn(document.fullscreenElement !== null);
    document.addEventListener("fullscreenchange", changed);
    return () => {
      document.removeEventListener("fullscreenchange", changed);
      leave();
    };
  }, []);
  return {
    possible: document.fullscreenEnabled,
    on,
    toggle: () => {
      if (on) leave();
      else document.documentElement.requestFullscreen().catch(() => undefined); // the browser's or the person's no
    },
  };
}

function leave(): void {
  if (document.fullscreenElement !== null) document.exitFullscreen().catch(() => undefined);
}
