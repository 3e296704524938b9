/** Taking sound and pictures from devices and from the screen. Errors are for `mediaProblem`. */

import { mediaDevices } from "./devices";

class InsecureContext extends Error {
  override readonly name = "InsecureContext";
}

function devicesOrThrow(): MediaDevices {
  const devices = mediaDevices();
  if (devices === undefined) throw new InsecureContext("Camera and microphone need HTTPS.");
  return devices;
}

/** `ideal`, so that a device which has just gone is replaced by another rather than refused. */
const preferring = (deviceId: string | undefined) => (deviceId === undefined ? {} : { deviceId: { ideal: deviceId } });

export async function openMicrophone(deviceId: string | undefined): Promise<MediaStreamTrack> {
  const stream = await devicesOrThrow().getUserMedia({
    audio: { ...preferring(deviceId), echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  });
  return only(stream.getAudioTracks());
}

export async function openCamera(deviceId: string | undefined): Promise<MediaStreamTrack> {
  const stream = await devicesOrThrow().getUserMedia({
    video: {
      ...preferring(deviceId),
      width: { ideal: 1280 },
      height: { ideal: 720 },
      frameRate: { ideal: 30, max: 30 },
      ...(deviceId === undefined ? { facingMode: "user" } : {}),
    },
  });
  const track = only(stream.getVideoTracks());
  track.contentHint = "motion";
  return track;
}

export interface ScreenTracks {
  video: MediaStreamTrack;
  /** Where the browser and the person gave it. */
  audio?: MediaStreamTrack;
}

/** Have the person choose a screen, window or tab. */
export async function openScreen(): Promise<ScreenTracks> {
  const stream = await devicesOrThrow().getDisplayMedia({
    video: { frameRate: { ideal: 15, max: 30 } },
    // What plays there is meant to be heard as it is.
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
  const video = only(stream.getVideoTracks());
  video.contentHint = "detail";
  const [audio] = stream.getAudioTracks();
  return audio === undefined ? { video } : { video, audio };
}

export const canShareScreen = (): boolean =>
  (mediaDevices() as { getDisplayMedia?: unknown } | undefined)?.getDisplayMedia !== undefined;

function only(tracks: readonly MediaStreamTrack[]): MediaStreamTrack {
  const [track] = tracks;
  if (track === undefined) throw new DOMException("The browser gave no track.", "NotFoundError");
  return track;
}
