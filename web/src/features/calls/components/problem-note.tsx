import { TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import type { MediaProblem } from "@/media";

export interface ProblemNoteProps {
  source: "microphone" | "camera" | "screen";
  problem: MediaProblem;
  onRetry: () => void;
}

/** Why there is no sound or picture of one's own, and what one can do about it. */
export function ProblemNote({ source, problem, onRetry }: ProblemNoteProps) {
  const { t } = useTranslation("calls");
  const text =
    source === "screen" ? t("problem.screen") : t(`problem.${source}.${problem === "dismissed" ? "refused" : problem}`);
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-md bg-warning-ground px-3 py-2 text-sm text-warning-text"
    >
      <p className="flex min-w-[min(12rem,100%)] flex-1 items-center gap-3">
        <TriangleAlert aria-hidden className="size-4 shrink-0" />
        <span className="min-w-0">{text}</span>
      </p>
      {problem !== "insecure" && (
        <Button size="sm" className="ms-auto" onClick={onRetry}>
          {t("problem.retry")}
        </Button>
      )}
    </div>
  );
}
