import { CircleAlert, CircleCheck, X } from "lucide-react";
import { Toast as Primitive } from "radix-ui";
import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";
import { dismissToast, useToasts, type Toast } from "@/lib/toast";
import { Button } from "./button";
import { IconButton } from "./icon-button";

/** Once in the app: shows what `toast()` says. F8 leads to it. */
export function Toaster() {
  const { t, i18n } = useTranslation();
  const toasts = useToasts();
  return (
    <Primitive.Provider label={t("notifications")} swipeDirection={i18n.dir() === "rtl" ? "left" : "right"}>
      {toasts.map((one) => (
        <ToastItem key={one.id} toast={one} />
      ))}
      <Primitive.Viewport
        label={`${t("notifications")} ({hotkey})`}
        className="fixed end-0 bottom-[calc(env(safe-area-inset-bottom)+4rem)] z-50 flex w-full flex-col gap-2 p-4 outline-none sm:w-96"
      />
    </Primitive.Provider>
  );
}

function ToastItem({ toast }: { toast: Toast }) {
  const { t } = useTranslation();
  const Icon = toast.kind === "error" ? CircleAlert : CircleCheck;
  return (
    <Primitive.Root
      open={toast.open}
      duration={toast.duration}
      type={toast.kind === "error" ? "foreground" : "background"}
      onOpenChange={(open) => {
        if (!open) dismissToast(toast.id);
      }}
      className={cn(
        "flex items-start gap-3 rounded-md border bg-popover py-2.5 ps-3.5 pe-2 text-popover-foreground shadow-lg",
        "data-[state=closed]:animate-fade-out data-[state=open]:animate-dialog-in",
        "data-[swipe=move]:translate-x-(--radix-toast-swipe-move-x)",
      )}
    >
      {toast.kind !== "neutral" && (
        <Icon
          aria-hidden
          className={cn(
            "mt-1.5 size-4 shrink-0",
            toast.kind === "error" ? "text-destructive-text" : "text-success-text",
          )}
        />
      )}
      <div className="min-w-0 flex-1 py-1">
        <Primitive.Title className="text-base font-medium break-words">{toast.title}</Primitive.Title>
        {toast.description !== undefined && (
          <Primitive.Description className="mt-0.5 text-sm break-words text-muted-foreground">
            {toast.description}
          </Primitive.Description>
        )}
      </div>
      {toast.action !== undefined && (
        <Primitive.Action asChild altText={toast.action.label}>
          <Button size="sm" onClick={toast.action.run}>
            {toast.action.label}
          </Button>
        </Primitive.Action>
      )}
      <Primitive.Close asChild>
        <IconButton label={t("dismiss")} size="sm">
          <X />
        </IconButton>
      </Primitive.Close>
    </Primitive.Root>
  );
}
