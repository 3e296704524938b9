import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useTimes } from "@/lib/time";
import type { ActiveCall } from "../model/desk";
import { phaseOf } from "../model/phase";

/** How long the call has lasted, or what it waits for. */
export function CallStatus({ call, name }: { call: ActiveCall; name: string }) {
  const { t } = useTranslation("calls");
  const phase = phaseOf(call);
  if (phase === "connected" && call.since !== undefined) return <Timer since={call.since} />;
  return <span role="status">{call.ended === undefined ? t(`phase.${phase}`) : t(`end.${call.ended}`, { name })}</span>;
}

function Timer({ since }: { since: number }) {
  const times = useTimes();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span role="timer" className="tabular-nums">
      {times.duration(now - since)}
    </span>
  );
}
