import { ArrowLeft, X } from "lucide-react";
import { useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { cn } from "@/lib/cn";
import { useWide } from "@/lib/media-query";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { useLentFocus } from "@/lib/focus";
import { iconButtonVariants } from "./ui/button-variants";
import { IconButton } from "./ui/icon-button";
import { ResizeHandle } from "./ui/resize-handle";
import { Sheet, SheetContent } from "./ui/sheet";

interface Panel {
  title: string;
  content: ReactNode;
  onClose: () => void;
}

export interface PageProps {
  header: ReactNode;
  /** What is open at the end of the page, or nothing. Beside the page where there is room, else over it. */
  panel?: Panel | undefined;
  children: ReactNode;
}

/** What the shell shows beside the sidebar: a header, the content below it, and perhaps a panel at the end. */
export function Page({ header, panel, children }: PageProps) {
  const wide = useWide();
  const width = usePreferences((preferences) => preferences.panelWidth);
  const { t } = useTranslation();
  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">
        {header}
        <div className="flex min-h-0 flex-1 flex-col">{children}</div>
      </div>
      {panel !== undefined && wide && (
        <aside
          aria-label={panel.title}
          className="relative flex shrink-0 flex-col border-s"
          style={{ width: `min(${width / 16}rem, 45vw)` }}
        >
          <ResizeHandle
            label={t("resize.panel")}
            side="end"
            value={width}
            min={280}
            max={520}
            initial={340}
            onChange={(panelWidth) => setPreferences({ panelWidth })}
          />
          <PanelContent key={panel.title} panel={panel} />
        </aside>
      )}
      <Sheet
        open={panel !== undefined && !wide}
        onOpenChange={(open) => {
          if (!open) panel?.onClose();
        }}
      >
        {panel !== undefined && !wide && (
          <SheetContent title={panel.title}>
            <PanelContent key={panel.title} panel={panel} />
          </SheetContent>
        )}
      </Sheet>
    </div>
  );
}

function PanelContent({ panel: { title, content, onClose } }: { panel: Panel }) {
  const { t } = useTranslation();
  const element = useRef<HTMLDivElement>(null);
  useLentFocus(element);
  return (
    <div ref={element} className="flex min-h-0 flex-1 flex-col">
      <header className="flex h-13 shrink-0 items-center justify-between border-b ps-4 pe-2">
        <h2 className="truncate text-md font-semibold">{title}</h2>
        <IconButton label={t("close")} onClick={onClose}>
          <X />
        </IconButton>
      </header>
      <div className="flex min-h-0 flex-1 flex-col">{content}</div>
    </div>
  );
}

export interface PageHeaderProps {
  /** Beside the title, such as an avatar or a `#`. */
  leading?: ReactNode;
  title: ReactNode;
  /** After the title, quieter. */
  description?: ReactNode;
  actions?: ReactNode;
  /** Where Back leads on a phone. */
  backTo?: string;
  className?: string;
}

/** The 52 px at the top of a page; more where letters are so large that the actions need a line of their own. */
export function PageHeader({ leading, title, description, actions, backTo = "/", className }: PageHeaderProps) {
  const { t } = useTranslation();
  return (
    <header
      className={cn(
        "flex min-h-13 shrink-0 flex-wrap items-center gap-x-2 gap-y-1 border-b py-1.5 ps-2 pe-2 md:ps-4 md:pe-3",
        className,
      )}
    >
      <Link to={backTo} aria-label={t("back")} className={cn(iconButtonVariants(), "md:hidden")}>
        <ArrowLeft aria-hidden className="rtl:rotate-180" />
      </Link>
      {leading}
      <div className="flex min-w-12 flex-1 flex-col md:flex-row md:items-baseline md:gap-3">
        <h1 className="truncate text-md font-semibold md:max-w-2/3 md:shrink-0">{title}</h1>
        {description !== undefined && (
          <div className="min-w-0 truncate text-xs text-muted-foreground md:text-sm">{description}</div>
        )}
      </div>
      {actions !== undefined && (
        <div className="ms-auto flex max-w-full flex-wrap items-center justify-end gap-0.5">{actions}</div>
      )}
    </header>
  );
}
