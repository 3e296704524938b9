import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Direction } from "radix-ui";
import { useTranslation } from "react-i18next";
import { Crash } from "@/components/crash";
import { ErrorBoundary } from "@/components/error-boundary";
import { Announcer } from "@/components/ui/announcer";
import { TooltipLayer } from "@/components/ui/tooltip-layer";
import { ApiError } from "@/lib/http";
import { LazyToaster } from "./lazy-toaster";
import { Router } from "./router";

/** What the socket does not keep fresh (search, members, sessions) is fetched; what failed for good is not asked again. */
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failures, error) => failures < 2 && error instanceof ApiError && error.transient,
      refetchOnWindowFocus: false,
    },
    mutations: { retry: false },
  },
});

export function App() {
  const { i18n } = useTranslation();
  return (
    <ErrorBoundary fallback={(error) => <Crash error={error} whole />}>
      <QueryClientProvider client={queries}>
        <Direction.Provider dir={i18n.dir()}>
          <Router />
          <LazyToaster />
          <TooltipLayer />
          <Announcer />
        </Direction.Provider>
      </QueryClientProvider>
    </ErrorBoundary>
  );
}
