import { BrowsePage } from "@/features/rooms";

/** `/rooms`. */
export function BrowseRoute() {
  return <BrowsePage />;
}
