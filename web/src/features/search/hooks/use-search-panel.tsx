import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import type { PageProps } from "@/components/page";
import { usePanel } from "@/lib/panel";

const SearchPanel = lazy(async () => ({ default: (await import("../components/search-panel")).SearchPanel }));

/** The search of a room beside it, for `Page`; undefined while it is not open. */
export function useSearchPanel(roomId: string): PageProps["panel"] {
  const { t } = useTranslation("search");
  const { panel, close } = usePanel();
  if (panel !== "search") return undefined;
  return {
    title: t("title"),
    onClose: close,
    content: (
      <Suspense>
        <SearchPanel key={roomId} roomId={roomId} />
      </Suspense>
    ),
  };
}
