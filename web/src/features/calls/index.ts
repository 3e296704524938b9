/** Calls between two people: the buttons that begin them, and what shows them on every page. */

export { CallButtons } from "./components/call-buttons";
export { Calls } from "./components/calls";
