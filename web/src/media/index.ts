/** Sound and pictures between two browsers, and the devices that make them; free of any framework. */

export * from "./capture";
export * from "./devices";
export { meterTrack } from "./level-meter";
export type { Signal } from "./negotiation";
export { PeerLink, type Line, type LinkState } from "./peer-link";
export type { Quality } from "./quality";
export { ring } from "./ring-tone";
