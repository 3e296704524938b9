import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { discardCommand, retryCommand, saveDraft, type UnsentText } from "@/realtime";
import { useCopy } from "../hooks/use-copy";

export interface UnsentListProps {
  roomId: string;
  texts: readonly UnsentText[];
  draft: string;
}

/** What one wrote to a room that one is out of now: it is here until one gives it up. */
export function UnsentList({ roomId, texts, draft }: UnsentListProps) {
  const { t } = useTranslation("messages");
  return (
    <section
      aria-label={t("unsent.title")}
      className="max-h-1/2 shrink-0 overflow-y-auto border-t px-4 pt-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] md:px-5"
    >
      <h2 className="text-sm font-semibold">{t("unsent.title")}</h2>
      <p className="text-sm text-muted-foreground">{t("unsent.text")}</p>
      <ul>
        {texts.map(({ clientId, text, failed }) => (
          <Text key={clientId} text={text} onDiscard={() => void discardCommand(clientId)}>
            {failed && (
              <Button variant="link" size="sm" onClick={() => void retryCommand(clientId)}>
                {t("state.retry")}
              </Button>
            )}
          </Text>
        ))}
        {draft !== "" && <Text text={draft} onDiscard={() => saveDraft(roomId, "")} />}
      </ul>
    </section>
  );
}

function Text({ text, onDiscard, children }: { text: string; onDiscard: () => void; children?: ReactNode }) {
  const { t } = useTranslation("messages");
  const copy = useCopy();
  return (
    <li className="mt-2 rounded-md border px-3 py-2">
      <p dir="auto" className="[overflow-wrap:anywhere] whitespace-pre-wrap">
        {text}
      </p>
      <div className="flex flex-wrap gap-x-3">
        {children}
        <Button variant="link" size="sm" onClick={() => copy(text, t("copy.text"))}>
          {t("actions.copyText")}
        </Button>
        <Button variant="link" size="sm" onClick={onDiscard}>
          {t("state.discard")}
        </Button>
      </div>
    </li>
  );
}
