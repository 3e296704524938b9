import { useTranslation } from "react-i18next";
import { Skeleton } from "@/components/ui/skeleton";
import { useDelayed } from "@/lib/use-delayed";

/** While the code of a page comes; nothing at first, as it mostly is there at once. */
export function PageSkeleton() {
  const { t } = useTranslation();
  const shown = useDelayed(true);
  return (
    <div aria-busy="true" aria-label={t("loading")} className="flex min-h-0 flex-1 flex-col">
      <div className="flex h-13 shrink-0 items-center border-b px-4">{shown && <Skeleton className="h-4 w-40" />}</div>
    </div>
  );
}
