/** When the device comes into another network. */

/** Known of phones above all: of desktops browsers do not tell it, and then there is nothing to go by but `online`. */
interface NetworkInformation extends EventTarget {
  readonly type?: string;
}

/**
 * Call `changed` when there is a network again or another one, until the signal. The event of the browser comes with every new guess
 * at the speed, too, which is none.
 */
export function followNetwork(changed: () => void, signal: AbortSignal): void {
  window.addEventListener("online", changed, { signal });
  const { connection } = navigator as { connection?: NetworkInformation };
  let type = connection?.type;
  connection?.addEventListener(
    "change",
    () => {
      const before = type;
      type = connection.type;
      if (type !== before && type !== "none") changed();
    },
    { signal },
  );
}
