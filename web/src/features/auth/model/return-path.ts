/** Where to go after signing in: a path of ours from `?next=`, never another site. */
export function returnPath(next: string | null): string {
  if (next === null || !/^\/(?![/\\])/.test(next)) return "/";
  const { origin, pathname, search, hash } = new URL(next, window.location.origin);
  return origin === window.location.origin ? pathname + search + hash : "/";
}

/** The address of the login page that leads back to `path`. */
export function loginPath(path: string): string {
  return path === "/" ? "/login" : `/login?${new URLSearchParams({ next: path }).toString()}`;
}
