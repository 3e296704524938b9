import { Mic, MicOff, MonitorOff, MonitorUp, PhoneOff, Settings2, Video, VideoOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { IconButton } from "@/components/ui/icon-button";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { cn } from "@/lib/cn";
import { canShareScreen } from "@/media";
import type { ActiveCall } from "../model/desk";
import { currentCall } from "../model/take-part";
import { DeviceChoice } from "./device-choice";

/** What one does in a call. `small` has only what is needed at any moment. */
export function CallControls({ call, small = false }: { call: ActiveCall; small?: boolean }) {
  const { t } = useTranslation("calls");
  const { microphone, camera, screen } = call.sending;
  const size = small ? "md" : "lg";
  // All are in one row on a phone, however large its letters are.
  const square = small ? "" : "size-[min(2.75rem,12vw)]";
  const variant = (on: boolean) => (on ? "solid" : "destructive");
  return (
    <div role="toolbar" aria-label={t("controls.title")} className="flex flex-wrap items-center justify-center gap-2">
      <IconButton
        label={t(microphone ? "controls.mute" : "controls.unmute")}
        shortcut="mod+d"
        size={size}
        className={square}
        variant={variant(microphone)}
        onClick={() => void currentCall()?.toggle("microphone")}
      >
        {microphone ? <Mic /> : <MicOff />}
      </IconButton>
      <IconButton
        label={t(camera ? "controls.cameraOff" : "controls.cameraOn")}
        shortcut="mod+e"
        size={size}
        className={square}
        variant="solid"
        onClick={() => void currentCall()?.toggle("camera")}
      >
        {camera ? <Video /> : <VideoOff />}
      </IconButton>
      {!small && canShareScreen() && (
        <IconButton
          label={t(screen ? "controls.stopSharing" : "controls.share")}
          size={size}
          className={square}
          variant={screen ? "primary" : "solid"}
          onClick={() => void currentCall()?.toggle("screen")}
        >
          {screen ? <MonitorOff /> : <MonitorUp />}
        </IconButton>
      )}
      {!small && (
        <Popover>
          <PopoverTrigger asChild>
            <IconButton label={t("devices.title")} size={size} className={square} variant="solid">
              <Settings2 />
            </IconButton>
          </PopoverTrigger>
          <PopoverContent className="dark w-80" aria-label={t("devices.title")}>
            <DeviceChoice onChange={(source) => void currentCall()?.reopen(source)} />
          </PopoverContent>
        </Popover>
      )}
      <IconButton
        label={t("controls.leave")}
        size={size}
        variant="destructive"
        className={cn(square, !small && "w-[min(4rem,17vw)]")}
        onClick={() => currentCall()?.leave()}
      >
        <PhoneOff />
      </IconButton>
    </div>
  );
}
