import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { Keys } from "@/components/ui/kbd";
import { useShortcuts, type Shortcut, type ShortcutGroup } from "@/lib/shortcuts";

const GROUPS: readonly ShortcutGroup[] = ["navigation", "messages", "composer", "calls", "general"];

export interface ShortcutsSheetProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** What the keyboard does here: whatever is registered now. */
export function ShortcutsSheet({ open, onOpenChange }: ShortcutsSheetProps) {
  const { t } = useTranslation();
  const shortcuts = useShortcuts();
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent title={t("shortcuts.title")} className="md:max-w-2xl">
        <div className="gap-x-10 md:columns-2">
          {GROUPS.map((group) => {
            const listed = shortcuts.filter((shortcut) => shortcut.group === group);
            return (
              listed.length > 0 && (
                <section key={group} className="mb-5 break-inside-avoid">
                  <h3 className="mb-1 text-sm font-semibold">{t(`shortcuts.groups.${group}`)}</h3>
                  <dl>
                    {listed.map((shortcut) => (
                      <Row key={shortcut.label} shortcut={shortcut} />
                    ))}
                  </dl>
                </section>
              )
            );
          })}
        </div>
      </DialogContent>
    </Dialog>
  );
}

function Row({ shortcut }: { shortcut: Shortcut }) {
  const { t } = useTranslation();
  const keys = typeof shortcut.keys === "string" ? [shortcut.keys] : shortcut.keys;
  return (
    <div className="flex min-h-8 flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b border-border/60 py-1 text-base last:border-0">
      <dt className="min-w-[min(9rem,100%)] flex-1 text-muted-foreground">{shortcut.label}</dt>
      <dd className="ms-auto flex max-w-full flex-wrap items-center justify-end gap-1.5 text-xs text-muted-foreground">
        {keys.map((key, index) => (
          <Fragment key={key}>
            {index > 0 && t("shortcuts.or")}
            <Keys keys={key} />
          </Fragment>
        ))}
      </dd>
    </div>
  );
}
