import { useTranslation } from "react-i18next";
import { Skeleton } from "@/components/ui/skeleton";
import { isEarlyShown } from "@/lib/early";
import { useDelayed } from "@/lib/use-delayed";

const WIDTHS = ["w-3/5", "w-2/5", "w-4/5", "w-1/2", "w-2/3", "w-1/3"];

/** Where messages will be. */
export function TimelineSkeleton() {
  const { t } = useTranslation();
  const shown = useDelayed(true, isEarlyShown() ? 0 : undefined);
  return (
    <div
      aria-busy="true"
      aria-label={t("loading")}
      className="flex min-h-0 flex-1 flex-col justify-end gap-5 overflow-hidden px-5 pb-4"
    >
      {shown && <SkeletonRows />}
    </div>
  );
}

export function SkeletonRows() {
  return WIDTHS.map((width) => (
    <div key={width} className="flex gap-3">
      <Skeleton className="size-9 shrink-0" />
      <div className="flex-1 space-y-2">
        <Skeleton className="h-3 w-32" />
        <Skeleton className={`h-3 ${width}`} />
      </div>
    </div>
  ));
}
