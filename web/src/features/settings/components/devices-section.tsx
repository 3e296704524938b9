import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Laptop, Smartphone } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { AlertDialog } from "@/components/ui/alert-dialog";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Skeleton } from "@/components/ui/skeleton";
import { useErrorText } from "@/lib/error-text";
import { useTimes } from "@/lib/time";
import { toast } from "@/lib/toast";
import { useDelayed } from "@/lib/use-delayed";
import type { SessionAnswer } from "@/realtime";
import { endOneSession, endOtherSessions } from "../api/end-sessions";
import { listSessions } from "../api/list-sessions";

const KEY = ["sessions"];

/** Where one is signed in, and signing out there. */
export function DevicesSection() {
  const { t } = useTranslation("settings");
  const queries = useQueryClient();
  const errorText = useErrorText();
  const [asking, setAsking] = useState(false);
  const { data, error, isPending, refetch } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => listSessions(signal),
    staleTime: 0,
  });
  const waiting = useDelayed(isPending);
  const settled = {
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
    onError: (failure: Error) => toast(errorText(failure), { kind: "error" }),
  };
  const one = useMutation({ mutationFn: endOneSession, ...settled });
  const others = useMutation({
    mutationFn: endOtherSessions,
    ...settled,
    onSuccess: () => {
      setAsking(false);
      toast(t("devices.endedOthers"), { kind: "success" });
    },
  });
  if (error !== null && data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (isPending) {
    return (
      <div aria-busy="true" className="flex flex-col gap-3">
        {waiting && [0, 1, 2].map((index) => <Skeleton key={index} className="h-14" />)}
      </div>
    );
  }
  return (
    <div>
      <p className="mb-2 text-muted-foreground">{t("devices.text")}</p>
      <ul>
        {data.sessions.map((session) => (
          <DeviceRow
            key={session.id}
            session={session}
            busy={one.isPending && one.variables === session.id}
            onEnd={() => one.mutate(session.id)}
          />
        ))}
      </ul>
      {data.sessions.length > 1 && (
        <Button className="mt-5 text-destructive-text" onClick={() => setAsking(true)}>
          {t("devices.endOthers")}
        </Button>
      )}
      <AlertDialog
        open={asking}
        onOpenChange={setAsking}
        title={t("devices.endOthersTitle")}
        description={t("devices.endOthersText")}
        confirm={t("devices.endOthers")}
        destructive
        busy={others.isPending}
        onConfirm={() => others.mutate()}
      />
    </div>
  );
}

interface DeviceRowProps {
  session: SessionAnswer;
  busy: boolean;
  onEnd: () => void;
}

function DeviceRow({ session, busy, onEnd }: DeviceRowProps) {
  const { t } = useTranslation("settings");
  const times = useTimes();
  const Icon = /android|iphone|ipad|mobile/i.test(session.device) ? Smartphone : Laptop;
  const device = session.device === "" ? t("devices.unknown") : session.device;
  return (
    <li className="flex flex-wrap items-center gap-x-3.5 gap-y-2 border-b py-3">
      <div className="flex min-w-[min(16rem,100%)] flex-1 items-center gap-3.5">
        <Icon aria-hidden className="size-5 shrink-0 text-muted-foreground" />
        <div className="min-w-0 flex-1">
          <p className="flex flex-wrap items-center gap-x-2">
            <bdi className="truncate font-medium">{device}</bdi>
            {session.current && <Badge variant="primary">{t("devices.this")}</Badge>}
          </p>
          <p className="text-sm [overflow-wrap:anywhere] text-muted-foreground">
            {session.current ? t("devices.now") : t("devices.used", { when: times.relative(session.last_used_at) })}
            {` · ${session.address} · `}
            {t("devices.since", { day: times.shortDay(session.created_at) })}
          </p>
        </div>
      </div>
      {!session.current && (
        <Button size="sm" className="ms-auto" busy={busy} aria-label={t("devices.endOne", { device })} onClick={onEnd}>
          {t("devices.end")}
        </Button>
      )}
    </li>
  );
}
