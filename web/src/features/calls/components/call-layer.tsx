import { useCallback, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "react-router";
import { useShortcut } from "@/lib/shortcuts";
import { toast } from "@/lib/toast";
import { useConnection } from "@/realtime";
import { showCall, useDesk, want, type Wanted } from "../model/desk";
import { phaseOf } from "../model/phase";
import { currentCall, takePart } from "../model/take-part";
import { CallMini } from "./call-mini";
import { CallSounds } from "./call-sounds";
import { CallStage } from "./call-stage";
import { ElsewhereNote } from "./elsewhere-note";
import { IncomingSheet } from "./incoming-sheet";
import { PreviewDialog } from "./preview-dialog";

/** All that shows of calls. */
export function CallLayer({ userId }: { userId: string }) {
  const { t } = useTranslation("calls");
  const rings = useDesk((desk) => desk.rings);
  const wanted = useDesk((desk) => desk.wanted);
  const active = useDesk((desk) => desk.active);
  const elsewhere = useDesk((desk) => desk.elsewhere);
  const { status } = useConnection();
  const { pathname } = useLocation();
  const inCall = active !== undefined && active.ended === undefined;

  const begin = useCallback(
    ({ roomId, media, answer }: Wanted, choice: { microphone: boolean; camera: boolean }) => {
      want(undefined);
      const callId = answer === undefined ? {} : { callId: answer.id };
      takePart(userId, { roomId, media, ...callId, ...choice }).then(
        (taken) => {
          if (!taken) toast(t(elsewhere === undefined ? "busyHere" : "elsewhere"));
        },
        () => toast(t("failed"), { kind: "error" }),
      );
    },
    [userId, elsewhere, t],
  );
  useEffect(() => {
    if (wanted?.preview === false) begin(wanted, { microphone: true, camera: wanted.media === "video" });
  }, [wanted, begin]);
  useEffect(() => {
    if (status === "online") void currentCall()?.resume();
  }, [status]);
  // Whoever goes elsewhere takes the call along, small.
  useEffect(() => () => showCall("mini"), [pathname]);
  useEffect(() => () => currentCall()?.leave(), []);

  useShortcut({ label: t("controls.mute"), group: "calls", keys: "mod+d", disabled: !inCall }, () => {
    void currentCall()?.toggle("microphone");
  });
  useShortcut({ label: t("controls.cameraOff"), group: "calls", keys: "mod+e", disabled: !inCall }, () => {
    void currentCall()?.toggle("camera");
  });

  return (
    <>
      {rings.map((call) => (
        <IncomingSheet key={call.id} call={call} />
      ))}
      {wanted?.preview === true && (
        <PreviewDialog
          key={wanted.roomId}
          onBegin={(choice) => begin(wanted, choice)}
          onClose={() => want(undefined)}
        />
      )}
      {active !== undefined && (
        <>
          <CallSounds call={active} phase={phaseOf(active)} />
          {active.view === "full" ? <CallStage call={active} /> : <CallMini call={active} />}
        </>
      )}
      {elsewhere !== undefined && !inCall && <ElsewhereNote roomId={elsewhere} />}
    </>
  );
}
