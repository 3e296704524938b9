import { lazy, Suspense } from "react";
import { useCallEvents } from "../hooks/use-call-events";
import { useDesk } from "../model/desk";

const CallLayer = lazy(async () => ({ default: (await import("./call-layer")).CallLayer }));

/** Once in the signed-in app, over every page: what rings, and the call one is in. Its code comes with the first call. */
export function Calls({ userId }: { userId: string }) {
  useCallEvents(userId);
  const needed = useDesk(
    ({ rings, wanted, active, elsewhere }) =>
      rings.length > 0 || wanted !== undefined || active !== undefined || elsewhere !== undefined,
  );
  return <Suspense>{needed && <CallLayer userId={userId} />}</Suspense>;
}
