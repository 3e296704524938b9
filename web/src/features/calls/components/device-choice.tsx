import { useId } from "react";
import { useTranslation } from "react-i18next";
import { Label } from "@/components/ui/label";
import { Select } from "@/components/ui/select";
import { Switch } from "@/components/ui/switch";
import { chooseDevice, selectableDevices, type DeviceKind } from "@/media";
import { useDevices } from "../hooks/use-devices";
import { setDevicePreferences, useDevicePreferences } from "../model/device-preferences";

const KINDS = { audioinput: "microphone", videoinput: "camera", audiooutput: "speaker" } as const;

export interface DeviceChoiceProps {
  /** Another device was chosen: take it. */
  onChange: (source: "microphone" | "camera") => void;
  /** Changes once the browser let the page use a device. */
  asked?: unknown;
}

/** Microphone, camera and speaker, remembered on this device. */
export function DeviceChoice({ onChange, asked }: DeviceChoiceProps) {
  const { t } = useTranslation("calls");
  const id = useId();
  const relayOnly = useDevicePreferences((preferences) => preferences.relayOnly);
  return (
    <div className="flex flex-col gap-3">
      <DeviceSelect kind="audioinput" asked={asked} onChange={() => onChange("microphone")} />
      <DeviceSelect kind="videoinput" asked={asked} onChange={() => onChange("camera")} />
      <DeviceSelect kind="audiooutput" asked={asked} onChange={() => undefined} />
      <div className="flex items-center justify-between gap-4">
        <div>
          <Label htmlFor={id}>{t("devices.relayOnly")}</Label>
          <p id={`${id}-hint`} className="text-sm text-muted-foreground">
            {t("devices.relayOnlyHint")}
          </p>
        </div>
        <Switch
          id={id}
          aria-describedby={`${id}-hint`}
          checked={relayOnly}
          onCheckedChange={(on) => setDevicePreferences({ relayOnly: on })}
        />
      </div>
    </div>
  );
}

function DeviceSelect({ kind, asked, onChange }: { kind: DeviceKind; asked: unknown; onChange: () => void }) {
  const { t } = useTranslation("calls");
  const id = useId();
  const all = useDevices(asked);
  const devices = selectableDevices(all, kind);
  const remembered = useDevicePreferences((preferences) => preferences[kind]);
  // Browsers that have no choice of speakers list none.
  if (kind === "audiooutput" && devices.length === 0) return null;
  return (
    <div className="flex flex-col gap-1">
      <Label htmlFor={id}>{t(`devices.${KINDS[kind]}`)}</Label>
      <Select
        id={id}
        value={chooseDevice(all, kind, remembered)?.id ?? ""}
        onChange={({ target: { value } }) => {
          const chosen = devices.find((device) => device.id === value);
          setDevicePreferences({
            [kind]: chosen === undefined ? undefined : { id: chosen.id, label: chosen.label },
          });
          onChange();
        }}
      >
        <option value="">{t("devices.systemDefault")}</option>
        {devices.map((device, index) => (
          <option key={device.id} value={device.id}>
            {device.label || t("devices.unnamed", { number: index + 1 })}
          </option>
        ))}
      </Select>
    </div>
  );
}
