import { CircleAlert } from "lucide-react";

/** What was refused of a form as a whole. The region is there from the start, so that what comes into it is read out. */
export function FormAlert({ text }: { text: string | undefined }) {
  return (
    <div role="alert" className="empty:-mb-4">
      {text !== undefined && (
        <p className="flex items-start gap-2 rounded-sm border border-destructive/40 bg-destructive/8 px-3 py-2 text-base text-destructive-text">
          <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          {text}
        </p>
      )}
    </div>
  );
}
