import { lazy, Suspense } from "react";
import { useToasts } from "@/lib/toast";

const Toaster = lazy(async () => ({ default: (await import("@/components/ui/toaster")).Toaster }));

/** The notices; their code comes with the first one. */
export function LazyToaster() {
  const needed = useToasts().length > 0;
  return <Suspense>{needed && <Toaster />}</Suspense>;
}
