/** Where faults of ours that a boundary caught are told: the console, for whoever opens it. Nothing leaves the device. */
export function reportError(error: unknown, context?: string): void {
  // eslint-disable-next-line no-console -- the one place
  console.error(error, context ?? "");
}
