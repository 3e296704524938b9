import { Mic, MicOff, Video, VideoOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { IconButton } from "@/components/ui/icon-button";
import type { Preview } from "../hooks/use-preview";
import { DeviceChoice } from "./device-choice";
import { Picture } from "./picture";
import { ProblemNote } from "./problem-note";

/** One's own camera, how loud one is, and which devices that comes from. */
export function CameraAndLevel({ preview: { camera, level, on, problems, toggle, reopen } }: { preview: Preview }) {
  const { t } = useTranslation("calls");
  return (
    <div className="flex flex-col gap-4">
      <div className="relative flex aspect-video items-center justify-center overflow-hidden rounded-md bg-muted text-sm text-muted-foreground">
        {camera === undefined ? (
          t("preview.cameraOff")
        ) : (
          <Picture track={camera} label={t("preview.camera")} mirrored />
        )}
        <div className="absolute inset-x-0 bottom-3 flex justify-center gap-2">
          <IconButton
            label={t(on.microphone ? "controls.mute" : "controls.unmute")}
            variant={on.microphone ? "solid" : "destructive"}
            size="lg"
            onClick={() => toggle("microphone")}
          >
            {on.microphone ? <Mic /> : <MicOff />}
          </IconButton>
          <IconButton
            label={t(on.camera ? "controls.cameraOff" : "controls.cameraOn")}
            variant={on.camera ? "solid" : "destructive"}
            size="lg"
            onClick={() => toggle("camera")}
          >
            {on.camera ? <Video /> : <VideoOff />}
          </IconButton>
        </div>
      </div>
      <div
        role="meter"
        aria-label={t("preview.level")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(level * 100)}
        className="flex h-1.5 overflow-hidden rounded-full bg-muted"
      >
        <span
          className="w-full origin-left bg-success transition-transform duration-100 rtl:origin-right"
          style={{ transform: `scaleX(${level})` }}
        />
      </div>
      {(["microphone", "camera"] as const).map((source) => {
        const problem = problems[source];
        if (problem === undefined) return null;
        return <ProblemNote key={source} source={source} problem={problem} onRetry={() => reopen(source)} />;
      })}
      <DeviceChoice
        onChange={(source) => on[source] && reopen(source)}
        asked={Number(on.microphone) + Number(on.camera)}
      />
    </div>
  );
}
