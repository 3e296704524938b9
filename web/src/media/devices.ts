/** Which microphone, camera and speaker to take, and why one could not be had. Pure but for `listDevices`. */

export type DeviceKind = "audioinput" | "videoinput" | "audiooutput";

export interface Device {
  id: string;
  kind: DeviceKind;
  /** Empty until the person has let the page use one of its kind. */
  label: string;
}

/** A device as it is remembered: browsers may give it another id next time, with the same label. */
export interface RememberedDevice {
  id: string;
  label: string;
}

/** The device that was chosen, by its id or else its label; undefined for the system's own choice. */
export function chooseDevice(
  devices: readonly Device[],
  kind: DeviceKind,
  remembered: RememberedDevice | undefined,
): Device | undefined {
  if (remembered === undefined) return undefined;
  const those = devices.filter((device) => device.kind === kind);
  return (
    those.find((device) => device.id === remembered.id) ??
    those.find((device) => device.label !== "" && device.label === remembered.label)
  );
}

/** One entry a device: browsers list the default ones twice, under ids of their own. */
export function selectableDevices(devices: readonly Device[], kind: DeviceKind): Device[] {
  return devices.filter(
    (device) => device.kind === kind && device.id !== "" && device.id !== "default" && device.id !== "communications",
  );
}

export async function listDevices(): Promise<Device[]> {
  const found = await mediaDevices()?.enumerateDevices();
  return (found ?? []).map(({ deviceId, kind, label }) => ({ id: deviceId, kind, label }));
}

/** Call `changed` when a device comes or goes, until the returned function is called. */
export function followDevices(changed: () => void): () => void {
  const devices = mediaDevices();
  devices?.addEventListener("devicechange", changed);
  return () => devices?.removeEventListener("devicechange", changed);
}

/** Typed as always there, browsers keep it from pages without HTTPS. */
export function mediaDevices(): MediaDevices | undefined {
  return (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
}

/**
 * Why there is no sound or picture: the person or a policy said no (`refused`), there is no such device (`missing`), another
 * program has it (`in-use`), the page may not ask (`insecure`), the person closed the choice (`dismissed`), or anything else.
 */
export type MediaProblem = "refused" | "missing" | "in-use" | "insecure" | "dismissed" | "failed";

/** What an error of getUserMedia or getDisplayMedia means (W3C mediacapture-streams section 10.2). */
export function mediaProblem(error: unknown, source: "device" | "screen" = "device"): MediaProblem {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  switch (name) {
    case "NotAllowedError":
      return source === "screen" ? "dismissed" : "refused";
    case "SecurityError":
      return "refused";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "in-use";
    case "InsecureContext":
      return "insecure";
    default:
      return "failed";
  }
}
