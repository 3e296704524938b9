const QUIET_MS = 1_000;
const LATEST_MS = 15_000;

/** Resolves once the page has come to rest: for a second it fetched nothing and was busy for no longer than 50 ms; or after 15 s. */
export function atRest(): Promise<void> {
  return new Promise((resolve) => {
    const rest = () => {
      observer.disconnect();
      clearTimeout(quiet);
      clearTimeout(latest);
      resolve();
    };
    let quiet = setTimeout(rest, QUIET_MS);
    const latest = setTimeout(rest, LATEST_MS);
    const observer = new PerformanceObserver(() => {
      clearTimeout(quiet);
      quiet = setTimeout(rest, QUIET_MS);
    });
    for (const type of ["resource", "longtask"])
      if (PerformanceObserver.supportedEntryTypes.includes(type)) observer.observe({ type });
  });
}
