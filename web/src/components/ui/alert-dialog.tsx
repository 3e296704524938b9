import { AlertDialog as Primitive } from "radix-ui";
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./button";
import { overlayClasses } from "./overlay-classes";

export interface AlertDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  description: ReactNode;
  /** What confirms, as a verb: "Delete", not "OK". */
  confirm: ReactNode;
  onConfirm: () => void;
  destructive?: boolean;
  busy?: boolean;
}

/** A question that must be answered; the harmless answer has the focus. */
export function AlertDialog({
  open,
  onOpenChange,
  title,
  description,
  confirm,
  onConfirm,
  destructive = false,
  busy = false,
}: AlertDialogProps) {
  const { t } = useTranslation();
  return (
    <Primitive.Root open={open} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className={overlayClasses} />
        <div className="pointer-events-none fixed inset-0 z-40 flex items-center justify-center p-6">
          <Primitive.Content className="pointer-events-auto w-full max-w-sm rounded-lg border bg-popover p-5 text-popover-foreground shadow-lg outline-none data-[state=closed]:animate-dialog-out data-[state=open]:animate-dialog-in">
            <Primitive.Title className="text-lg font-semibold">{title}</Primitive.Title>
            <Primitive.Description className="mt-1.5 text-base break-words text-muted-foreground">
              {description}
            </Primitive.Description>
            <div className="mt-5 flex flex-wrap justify-end gap-2">
              <Primitive.Cancel asChild>
                <Button>{t("cancel")}</Button>
              </Primitive.Cancel>
              <Button variant={destructive ? "destructive" : "primary"} busy={busy} onClick={onConfirm}>
                {confirm}
              </Button>
            </div>
          </Primitive.Content>
        </div>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
