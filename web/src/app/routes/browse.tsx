import { BrowsePage } from "@/features/rooms";

/** `/rooms`. In a file of its own, so that the first page does not carry the whole feature. */
export function BrowseRoute() {
  return <BrowsePage />;
}
