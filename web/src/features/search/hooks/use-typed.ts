import { useEffect, useEffectEvent, useState } from "react";

/** Long enough not to search for every letter. */
const PAUSE_MS = 250;

/**
 * The text of a field whose value is kept elsewhere, as in the address: told after a pause in typing, and taken over when it was
 * changed there.
 */
export function useTyped(value: string, tell: (text: string) => void) {
  const [typed, setTyped] = useState({ text: value, value });
  if (value !== typed.value) setTyped({ text: value, value });
  const told = useEffectEvent((text: string) => {
    setTyped({ text, value: text });
    tell(text);
  });
  useEffect(() => {
    if (typed.text === typed.value) return;
    const timer = setTimeout(() => told(typed.text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return {
    text: typed.text,
    setText: (text: string) => setTyped({ ...typed, text }),
    /** At once: a button, a choice. */
    tell: (text: string) => {
      setTyped({ text, value: text });
      if (text !== value) tell(text);
    },
  };
}
