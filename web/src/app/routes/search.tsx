import { SearchPage } from "@/features/search";

/** `/search`. In a file of its own, so that the first page does not carry the whole feature. */
export function SearchRoute() {
  return <SearchPage />;
}
