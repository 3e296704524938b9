import { SearchPage } from "@/features/search";

/** `/search`. */
export function SearchRoute() {
  return <SearchPage />;
}
