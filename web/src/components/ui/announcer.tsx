import { useAnnouncement } from "@/lib/announce";

/** Once in the app: the live region that `announce()` speaks through. Two regions in turn, so that repeats are heard. */
export function Announcer() {
  const { text, said } = useAnnouncement();
  return (
    <div className="sr-only">
      <p aria-live="polite">{said % 2 === 0 ? text : ""}</p>
      <p aria-live="polite">{said % 2 === 1 ? text : ""}</p>
    </div>
  );
}
