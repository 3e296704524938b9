import { useCallback, useSyncExternalStore } from "react";

/** Whether the media query matches, followed as it changes. */
export function useMediaQuery(query: string): boolean {
  const subscribe = useCallback(
    (changed: () => void) => {
      const list = window.matchMedia(query);
      list.addEventListener("change", changed);
      return () => list.removeEventListener("change", changed);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches, notAtBuildTime);
}

/** When index.html is made there is no window (src/early). */
const notAtBuildTime = () => false;

/** One column: the sidebar is a page of its own. The same bound as Tailwind's `md`. */
export function usePhone(): boolean {
  return useMediaQuery("(width < 48rem)");
}

/** Room for a panel beside the conversation, rather than over it. */
export function useWide(): boolean {
  return useMediaQuery("(width >= 68.75rem)");
}
