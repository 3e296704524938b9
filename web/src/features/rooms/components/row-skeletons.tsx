import { Skeleton } from "@/components/ui/skeleton";

const WIDTHS = ["w-24", "w-36", "w-28", "w-20", "w-32", "w-40", "w-24", "w-28"];

/** Where the rows of rooms will be. */
export function RowSkeletons() {
  return (
    <div className="flex flex-col px-4 pt-3">
      {WIDTHS.map((width, index) => (
        <div key={index} className="flex h-7.5 items-center gap-2.5">
          <Skeleton className="size-4 bg-sidebar-accent" />
          <Skeleton className={`h-3 bg-sidebar-accent ${width}`} />
        </div>
      ))}
    </div>
  );
}
