/** What no page may do, whatever is tested: errors, breaches of the content security policy, requests to foreign origins. */

import type { BrowserContext } from "playwright-core";

/**
 * What Chromium says in the console by itself when the network is away: of requests, of sockets, and of the service worker, whose script
 * it looks for anew. An answer of the server is none of it, whatever its status.
 */
export const NETWORK_FAILS =
  /net::ERR_|WebSocket is (?:closed before|already in CLOSING)|^An unknown error occurred when fetching the script\.$/;
const OWN_SCHEMES = new Set(["data:", "blob:"]);

/** Collects the faults of all pages of a browser from now on. */
export async function watchFaults(
  context: BrowserContext,
  origin: string,
  isExpected: (text: string) => boolean,
): Promise<string[]> {
  const faults: string[] = [];
  const { host } = new URL(origin);
  await context.addInitScript(() => {
    window.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      // eslint-disable-next-line no-console -- the way from the page to the test
      console.error(`content security policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  context.on("console", (message) => {
    if (message.type() !== "error" || isExpected(message.text())) return;
    faults.push(`console: ${message.text()} ${message.location().url}`);
  });
  context.on("weberror", (error) => faults.push(`page: ${error.error().stack ?? error.error().message}`));
  context.on("request", (request) => note(request.url()));
  context.on("page", (page) => page.on("websocket", (socket) => note(socket.url())));
  return faults;

  function note(address: string): void {
    const url = new URL(address);
    if (url.host !== host && !OWN_SCHEMES.has(url.protocol)) faults.push(`foreign origin: ${address}`);
  }
}
