/** What is searched for, as it stands in the address and as the server takes it. */

export const HAS = ["link", "mention", "reaction", "pin"] as const;

export type Has = (typeof HAS)[number];

export interface Filters {
  q: string;
  room?: string;
  /** A user's id. */
  from?: string;
  /** Days where the person is, `2026-03-31`: the first and the last that count. */
  after?: string;
  before?: string;
  has?: Has;
}

/** More is refused by the server. */
export const MAX_QUERY = 500;

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function filtersFrom(search: URLSearchParams): Filters {
  const get = (name: string) => search.get(name) ?? "";
  const has = HAS.find((one) => one === get("has"));
  return clean({
    q: get("q").slice(0, MAX_QUERY),
    room: get("room"),
    from: get("from"),
    after: DAY.test(get("after")) ? get("after") : "",
    before: DAY.test(get("before")) ? get("before") : "",
    ...(has === undefined ? {} : { has }),
  });
}

/** Without what is empty, for the address; the inverse of `filtersFrom`. */
export function clean(filters: Filters): Filters {
  const kept = Object.entries(filters).filter(([name, value]) => name === "q" || (value !== undefined && value !== ""));
  return Object.fromEntries(kept) as unknown as Filters;
}

export function paramsOf(filters: Filters): Record<string, string> {
  return Object.fromEntries(Object.entries(clean(filters)).filter(([, value]) => value !== ""));
}

/** How many filters narrow the search besides its words. */
export function filterCount({ from, after, before, has, room }: Filters): number {
  return [from, after, before, has, room].filter((value) => value !== undefined && value !== "").length;
}

/** The midnight at which a day begins where the person is, some days later. */
function midnight(day: string, later = 0): number {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).getTime();
}

/** As `GET /api/search` takes it. The bounds are exclusive there: a millisecond before the first day, the midnight after the last. */
export function queryOf({ q, room, from, after, before, has }: Filters): Record<string, string | number | undefined> {
  return {
    q: q.trim(),
    room_id: room,
    from,
    after: after === undefined ? undefined : midnight(after) - 1,
    before: before === undefined ? undefined : midnight(before, 1),
    has,
  };
}
