import { Maximize, Minimize, Minimize2, PictureInPicture2 } from "lucide-react";
import { Dialog as Primitive } from "radix-ui";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import { useCallName } from "../hooks/use-call-name";
import { useFullScreen } from "../hooks/use-full-screen";
import { useOther } from "../hooks/use-other";
import { desk, showCall, want, type ActiveCall } from "../model/desk";
import { currentCall } from "../model/take-part";
import { CallControls } from "./call-controls";
import { CallStatus } from "./call-status";
import { OtherTile } from "./other-tile";
import { Picture } from "./picture";
import { ProblemNote } from "./problem-note";
import { QualityBars } from "./quality-bars";

const SOURCES = ["microphone", "camera", "screen"] as const;

/** The call over the whole app. Always dark: pictures are what one looks at. Escape makes it small. */
export function CallStage({ call }: { call: ActiveCall }) {
  const { t } = useTranslation("calls");
  const name = useCallName(call.roomId);
  const other = useOther(call);
  const fullScreen = useFullScreen();
  const screen = useRef<HTMLVideoElement>(null);
  const camera = useRef<HTMLVideoElement>(null);
  const close = () => (call.ended === undefined ? showCall("mini") : desk.setState({ active: undefined }));
  return (
    <Primitive.Root open onOpenChange={close}>
      <Primitive.Portal>
        <Primitive.Content
          aria-describedby={undefined}
          onInteractOutside={(event) => event.preventDefault()}
          className="dark fixed inset-0 z-30 flex animate-fade-in flex-col bg-background ps-[env(safe-area-inset-left)] pe-[env(safe-area-inset-right)] pt-[env(safe-area-inset-top)] text-foreground outline-none"
        >
          <header className="flex min-h-13 shrink-0 flex-wrap items-center justify-end gap-x-3 px-4 py-1.5">
            <div className="flex min-w-[min(10rem,100%)] flex-1 flex-wrap items-baseline gap-x-3">
              <Primitive.Title className="truncate text-md font-semibold">
                <span className="sr-only">{t("region", { name })}</span>
                <bdi aria-hidden>{name}</bdi>
              </Primitive.Title>
              <span className="text-sm [overflow-wrap:anywhere] text-muted-foreground">
                <CallStatus call={call} name={other.name} />
              </span>
            </div>
            {call.quality !== undefined && <QualityBars quality={call.quality} explained />}
            {(other.screen ?? other.camera) !== undefined && document.pictureInPictureEnabled && (
              <IconButton
                label={t("controls.pictureInPicture")}
                // A browser may refuse it; the small window is there for that.
                onClick={() =>
                  void (screen.current ?? camera.current)?.requestPictureInPicture().catch(() => showCall("mini"))
                }
              >
                <PictureInPicture2 />
              </IconButton>
            )}
            {fullScreen.possible && (
              <IconButton
                label={t(fullScreen.on ? "controls.leaveFullScreen" : "controls.fullScreen")}
                onClick={fullScreen.toggle}
              >
                {fullScreen.on ? <Minimize /> : <Maximize />}
              </IconButton>
            )}
            <IconButton label={t("controls.minimise")} onClick={close}>
              <Minimize2 />
            </IconButton>
          </header>
          <div className="flex flex-col gap-2 px-4">
            {call.ended === undefined &&
              SOURCES.map((source) => {
                const problem = call.problems[source];
                if (problem === undefined) return null;
                const retry = () => void currentCall()?.toggle(source);
                return <ProblemNote key={source} source={source} problem={problem} onRetry={retry} />;
              })}
          </div>
          <div className="relative flex min-h-0 flex-1 gap-3 p-4 max-md:flex-col">
            {other.screen !== undefined && (
              <div className="min-h-0 min-w-0 flex-3 overflow-hidden rounded-md bg-black">
                <Picture track={other.screen} label={t("people.screenOf", { name: other.name })} whole ref={screen} />
              </div>
            )}
            <OtherTile other={other} className="flex-1" ref={camera} />
            <OwnTile call={call} />
          </div>
          <footer className="flex min-h-18 shrink-0 flex-wrap items-center justify-center gap-3 px-4 pb-[env(safe-area-inset-bottom)]">
            {call.ended === undefined ? <CallControls call={call} /> : <AfterCall call={call} />}
          </footer>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

function OwnTile({ call }: { call: ActiveCall }) {
  const { t } = useTranslation("calls");
  const { camera, screen } = call.own;
  if (camera === undefined && screen === undefined) return null;
  return (
    <div className="absolute end-7 bottom-7 flex w-[min(14rem,32vw)] flex-col gap-2">
      {screen !== undefined && (
        <div className="overflow-hidden rounded-md border bg-black shadow-md">
          <Picture track={screen} label={t("people.youShare")} whole />
        </div>
      )}
      {camera !== undefined && (
        <div className="aspect-video overflow-hidden rounded-md border bg-muted shadow-md">
          <Picture track={camera} label={t("people.pictureOf", { name: t("people.you") })} mirrored />
        </div>
      )}
    </div>
  );
}

function AfterCall({ call: { roomId, media } }: { call: ActiveCall }) {
  const { t } = useTranslation("calls");
  const again = () => {
    desk.setState({ active: undefined });
    want({ roomId, media, preview: false });
  };
  return (
    <>
      <Button size="lg" onClick={again}>
        {t("again")}
      </Button>
      <Button size="lg" onClick={() => desk.setState({ active: undefined })}>
        {t("close")}
      </Button>
    </>
  );
}
