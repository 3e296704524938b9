import { useState } from "react";
import type { Filters } from "../model/filters";
import { SearchView } from "./search-view";

/** Searching one room, beside it: what one opens stays beside what was found. */
export function SearchPanel({ roomId }: { roomId: string }) {
  const [filters, setFilters] = useState<Filters>({ q: "" });
  return <SearchView filters={filters} onFilters={setFilters} roomId={roomId} />;
}
