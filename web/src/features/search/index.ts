/** Finding messages. */

import { lazy } from "react";

export { useSearchPanel } from "./hooks/use-search-panel";

export const SearchPage = lazy(async () => ({ default: (await import("./components/search-page")).SearchPage }));
