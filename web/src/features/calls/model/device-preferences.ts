/** The devices for calls, as they were last chosen on this one; it stays at sign-out and holds nothing of an account. */

import { create } from "zustand";
import { persist } from "zustand/middleware";
import { chooseDevice, listDevices, type DeviceKind, type RememberedDevice } from "@/media";

export interface DevicePreferences {
  audioinput?: RememberedDevice | undefined;
  videoinput?: RememberedDevice | undefined;
  audiooutput?: RememberedDevice | undefined;
  /** Send media through the server's relay only, so that the other side does not learn this device's address. */
  relayOnly: boolean;
}

export const useDevicePreferences = create<DevicePreferences>()(
  persist((): DevicePreferences => ({ relayOnly: false }), { name: "parlour.devices", version: 1 }),
);

export function setDevicePreferences(changes: Partial<DevicePreferences>): void {
  useDevicePreferences.setState(changes);
}

/** The id of the device that was chosen, where it is there; undefined for the system's own choice. */
export async function chosenDevice(kind: DeviceKind): Promise<string | undefined> {
  return chooseDevice(await listDevices(), kind, useDevicePreferences.getState()[kind])?.id;
}
