import { X } from "lucide-react";
import { Dialog as Primitive } from "radix-ui";
import { useRef, type ComponentProps, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";
import { giveBackFocus } from "@/lib/focus";
import { IconButton } from "./icon-button";
import { overlayClasses } from "./overlay-classes";

export const Dialog = Primitive.Root;

export interface DialogContentProps extends Omit<ComponentProps<typeof Primitive.Content>, "title"> {
  title: ReactNode;
  /** Under the title; without one the dialog has no description. */
  description?: ReactNode;
  /** Keep the title for screen readers only. */
  hideTitle?: boolean;
  /** Buttons at the end; they stay in sight while the content scrolls. */
  footer?: ReactNode;
}

/** A window over the page; on a phone it rises from the bottom. */
export function DialogContent({
  title,
  description,
  hideTitle = false,
  footer,
  className,
  children,
  onOpenAutoFocus,
  ...props
}: DialogContentProps) {
  const { t } = useTranslation();
  const before = useRef<Element>(null);
  return (
    <Primitive.Portal>
      <Primitive.Overlay className={overlayClasses} />
      <div className="pointer-events-none fixed inset-0 z-40 flex items-end justify-center md:items-center md:p-6">
        <Primitive.Content
          className={cn(
            "pointer-events-auto relative flex max-h-[calc(100dvh-2rem)] w-full flex-col overflow-hidden rounded-t-lg border bg-popover text-popover-foreground shadow-lg outline-none",
            "pb-[env(safe-area-inset-bottom)] md:max-w-md md:rounded-lg md:pb-0",
            "data-[state=closed]:animate-bottom-out data-[state=open]:animate-bottom-in md:data-[state=closed]:animate-dialog-out md:data-[state=open]:animate-dialog-in",
            className,
          )}
          onOpenAutoFocus={(event) => {
            before.current = document.activeElement;
            onOpenAutoFocus?.(event);
          }}
          // Radix goes back to the trigger, which a dialog that was opened by a key has not.
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            giveBackFocus(before.current);
          }}
          {...(description === undefined ? { "aria-describedby": undefined } : {})}
          {...props}
        >
          <div className={cn("flex items-start gap-3 px-5 pt-4 pb-3", hideTitle && "sr-only")}>
            <div className="min-w-0 flex-1">
              <Primitive.Title className="text-lg font-semibold">{title}</Primitive.Title>
              {description !== undefined && (
                <Primitive.Description className="mt-1 text-base text-muted-foreground">
                  {description}
                </Primitive.Description>
              )}
            </div>
            {!hideTitle && (
              <Primitive.Close asChild>
                <IconButton label={t("close")} size="sm" className="-me-1.5">
                  <X />
                </IconButton>
              </Primitive.Close>
            )}
          </div>
          <div className={cn("min-h-0 flex-1 overflow-y-auto", !hideTitle && "px-5 pb-5")}>{children}</div>
          {footer !== undefined && (
            <div className="flex flex-wrap justify-end gap-2 border-t bg-muted/50 px-5 py-3">{footer}</div>
          )}
        </Primitive.Content>
      </div>
    </Primitive.Portal>
  );
}
