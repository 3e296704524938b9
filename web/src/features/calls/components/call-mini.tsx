import { Maximize2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { IconButton } from "@/components/ui/icon-button";
import { useCallName } from "../hooks/use-call-name";
import { useOther } from "../hooks/use-other";
import { showCall, type ActiveCall } from "../model/desk";
import { CallControls } from "./call-controls";
import { CallStatus } from "./call-status";
import { OtherTile } from "./other-tile";
import { Picture } from "./picture";
import { QualityBars } from "./quality-bars";

/** The call in a corner, while one does something else. */
export function CallMini({ call }: { call: ActiveCall }) {
  const { t } = useTranslation("calls");
  const name = useCallName(call.roomId);
  const other = useOther(call);
  return (
    <section
      aria-label={t("region", { name })}
      className="dark fixed end-3 top-16 z-30 w-64 max-w-[calc(100vw-1.5rem)] animate-fade-in overflow-hidden rounded-lg border bg-background text-foreground shadow-lg max-md:w-56"
    >
      <div className="aspect-video bg-black">
        {other.screen === undefined ? (
          <OtherTile other={other} compact className="size-full rounded-none" />
        ) : (
          <Picture track={other.screen} label={t("people.screenOf", { name: other.name })} whole />
        )}
      </div>
      <div className="flex items-center gap-2 px-3 py-2 text-sm">
        <bdi className="min-w-0 truncate font-medium">{name}</bdi>
        <span className="min-w-0 flex-1 truncate text-muted-foreground">
          <CallStatus call={call} name={other.name} />
        </span>
        {call.quality !== undefined && <QualityBars quality={call.quality} />}
      </div>
      {call.ended === undefined && (
        <div className="flex flex-wrap items-center justify-between gap-2 px-2 pb-2">
          <CallControls call={call} small />
          <IconButton label={t("controls.expand")} className="ms-auto" onClick={() => showCall("full")}>
            <Maximize2 />
          </IconButton>
        </div>
      )}
    </section>
  );
}
