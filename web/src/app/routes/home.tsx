import { MessagesSquare } from "lucide-react";
import { useTranslation } from "react-i18next";
import { EmptyState } from "@/components/ui/empty-state";
import { usePageTitle } from "@/lib/page-title";
import { keyCaps } from "@/lib/shortcuts";

/** Nothing chosen yet. On a phone the sidebar stands here instead. */
export function Home() {
  const { t } = useTranslation();
  usePageTitle("");
  return (
    <EmptyState page icon={MessagesSquare} title={t("home.title")}>
      {t("home.text", { keys: keyCaps("mod+k").join(" ") })}
    </EmptyState>
  );
}
