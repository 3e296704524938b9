/** The addresses of the client, in one place: routes and links agree on them. */

/** A room, or one message in it. */
export function roomPath(roomId: string, messageId?: string): string {
  return messageId === undefined ? `/r/${roomId}` : `/r/${roomId}/m/${messageId}`;
}

export function isRoomPath(path: string): boolean {
  return path.startsWith("/r/");
}

export const BROWSE_PATH = "/rooms";

export function searchPath(filters: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(filters).toString();
  return query === "" ? "/search" : `/search?${query}`;
}

export function settingsPath(section?: string): string {
  return section === undefined ? "/settings" : `/settings/${section}`;
}
