/** Calls between two people: the buttons that begin them, and what shows them on every page. */

import { lazy } from "react";

export { CallButtons } from "./components/call-buttons";
export { Calls } from "./components/calls";

export const CallSettings = lazy(async () => ({ default: (await import("./components/call-settings")).CallSettings }));
