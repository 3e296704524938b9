import { type LucideIcon } from "lucide-react";
import { type ReactNode } from "react";
import { cn } from "@/lib/cn";

export interface EmptyStateProps {
  icon?: LucideIcon;
  title: ReactNode;
  children?: ReactNode;
  /** What one can do about it. */
  action?: ReactNode;
  className?: string;
  /** The title is the page's heading. */
  page?: boolean;
}

/** Nothing to show, why, and what to do about it. */
export function EmptyState({ icon: Icon, title, children, action, className, page = false }: EmptyStateProps) {
  const Title = page ? "h1" : "p";
  return (
    <div className={cn("flex flex-1 flex-col items-center justify-center gap-1 p-8 text-center", className)}>
      {Icon !== undefined && <Icon aria-hidden className="mb-2 size-7 text-muted-foreground/70" strokeWidth={1.5} />}
      <Title className="text-md font-medium">{title}</Title>
      {children !== undefined && <div className="max-w-sm text-base text-muted-foreground">{children}</div>}
      {action !== undefined && <div className="mt-4 flex gap-2">{action}</div>}
    </div>
  );
}
