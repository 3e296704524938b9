import { useId, useImperativeHandle, useLayoutEffect, useRef, useState, type KeyboardEvent, type Ref } from "react";
import { isBehindEarly } from "@/lib/early";
import { isApple } from "@/lib/shortcuts";
import { cn } from "@/lib/cn";
import { useMediaQuery } from "@/lib/media-query";
import { FOCUS_HOME } from "@/lib/focus";
import { completed, toggled, type Selected } from "../model/composing";
import { useSuggestions, type Suggestion } from "../hooks/use-suggestions";
import { SuggestionList } from "./suggestion-list";

const MARKS: Readonly<Record<string, string>> = { b: "**", i: "_", e: "`" };

export interface TextFieldHandle {
  focus: () => void;
  /** Put text where the caret is. */
  insert: (text: string) => void;
  /** Put this in place of the text. */
  replace: (text: Selected) => void;
}

export interface TextFieldProps {
  label: string;
  placeholder?: string;
  roomId: string;
  value: string;
  onChange: (text: string) => void;
  onSubmit: () => void;
  /** Keys that neither the field nor its suggestions take. */
  onKeyDown?: (event: KeyboardEvent<HTMLTextAreaElement>) => void;
  /** It is opened to be typed into at once. */
  startsFocused?: boolean;
  /** It is where the page's focus is at home. */
  isHome?: boolean;
  className?: string;
  ref?: Ref<TextFieldHandle>;
}

/** Whether a field grows with its text by style alone; to measure it has the whole page laid out. */
const sizesItself = () => CSS.supports("field-sizing", "content");

/** Where messages are typed: grows with the text, completes names and emoji, and sends on Enter but not while an IME composes. */
export function TextField({
  label,
  placeholder,
  roomId,
  value,
  onChange,
  onSubmit,
  onKeyDown,
  startsFocused = false,
  isHome = false,
  className,
  ref,
}: TextFieldProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const selection = useRef<Selected>(undefined);
  const id = useId();
  const touch = useMediaQuery("(pointer: coarse)");
  const [caret, setCaret] = useState<number>();
  const [active, setActive] = useState(0);
  const [dismissed, setDismissed] = useState<number>();
  const suggestions = useSuggestions(roomId, value, caret);
  const offered = suggestions !== undefined && suggestions.completion.start !== dismissed ? suggestions : undefined;
  const index = Math.min(active, (offered?.list.length ?? 1) - 1);

  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    if (!sizesItself()) {
      element.style.height = "auto";
      element.style.height = `${element.scrollHeight}px`;
    }
    const chosen = selection.current;
    if (chosen?.text !== value) return;
    element.setSelectionRange(chosen.start, chosen.end);
    selection.current = undefined;
  }, [value]);

  useLayoutEffect(() => {
    const element = field.current;
    if (!startsFocused || element === null || isBehindEarly()) return;
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
  }, [startsFocused]);

  const put = (next: Selected) => {
    selection.current = next;
    onChange(next.text);
    setCaret(undefined);
  };
  const selected = (element: HTMLTextAreaElement): Selected => ({
    text: element.value,
    start: element.selectionStart,
    end: element.selectionEnd,
  });
  useImperativeHandle(ref, () => ({
    focus: () => field.current?.focus(),
    insert: (text) => {
      const element = field.current;
      if (element === null) return;
      const { start, end } = selected(element);
      const at = start + text.length;
      put({ text: element.value.slice(0, start) + text + element.value.slice(end), start: at, end: at });
      element.focus();
    },
    replace: (next) => {
      put(next);
      // Where the text stays as it was, nothing is drawn again.
      if (next.text === value) field.current?.setSelectionRange(next.start, next.end);
    },
  }));

  const choose = (suggestion: Suggestion) => {
    if (offered === undefined || caret === undefined) return;
    put(completed(value, caret, offered.completion, suggestion.word));
  };

  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // Safari ends the composition before the Enter that confirmed it: only the old key code tells.
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is no other sign of it
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (offered !== undefined && steer(event)) return;
    const mark =
      (isApple ? event.metaKey : event.ctrlKey) && !event.altKey ? MARKS[event.key.toLowerCase()] : undefined;
    if (mark !== undefined && !event.shiftKey) {
      event.preventDefault();
      put(toggled(selected(event.currentTarget), mark));
    } else if (event.key === "Enter" && !event.shiftKey && !(touch && !event.ctrlKey)) {
      event.preventDefault();
      onSubmit();
    } else onKeyDown?.(event);
  };

  /** Whether the suggestions took the key. */
  const steer = (event: KeyboardEvent): boolean => {
    if (offered === undefined || event.shiftKey) return false;
    const { length } = offered.list;
    const suggestion = offered.list[index];
    if (event.key === "ArrowDown") setActive((index + 1) % length);
    else if (event.key === "ArrowUp") setActive((index + length - 1) % length);
    else if (event.key === "Escape") setDismissed(offered.completion.start);
    else if ((event.key === "Enter" || event.key === "Tab") && suggestion !== undefined) choose(suggestion);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };

  return (
    <div className={cn("relative min-w-0 flex-1", className)}>
      {offered !== undefined && <SuggestionList id={id} list={offered.list} active={index} onChoose={choose} />}
      <textarea
        ref={field}
        {...(isHome ? FOCUS_HOME : {})}
        rows={1}
        dir="auto"
        value={value}
        aria-label={label}
        placeholder={placeholder}
        aria-autocomplete="list"
        aria-controls={offered === undefined ? undefined : id}
        aria-activedescendant={offered === undefined ? undefined : `${id}-${index}`}
        onChange={(event) => {
          onChange(event.target.value);
          setActive(0);
          setDismissed(undefined);
        }}
        onSelect={({ currentTarget: { selectionStart, selectionEnd } }) =>
          setCaret(selectionStart === selectionEnd ? selectionStart : undefined)
        }
        onBlur={() => setCaret(undefined)}
        onKeyDown={press}
        className="block field-sizing-content max-h-[min(45dvh,26rem)] w-full resize-none overflow-y-auto bg-transparent px-3 py-2.5 text-md text-ellipsis outline-none placeholder:overflow-hidden placeholder:text-ellipsis placeholder:whitespace-nowrap touch:py-3.5"
      />
    </div>
  );
}
