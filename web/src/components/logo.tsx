/** The mark: two speech bubbles that overlap, as in public/icon.svg. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden className={className}>
      <rect width="32" height="32" rx="8" className="fill-primary" />
      <path
        d="M8 7h10a4 4 0 0 1 4 4v3a4 4 0 0 1-4 4h-5l-4 3.5V18H8a4 4 0 0 1-4-4v-3a4 4 0 0 1 4-4Z"
        className="fill-white"
      />
      <path
        d="M24 12.6a4 4 0 0 1 4 3.9v2.8a4 4 0 0 1-3.6 4V27l-4.2-3.6h-3.7a4 4 0 0 1-3.5-2.1l1.2-1h3.8a6.3 6.3 0 0 0 6-6.3Z"
        className="fill-white/65"
      />
    </svg>
  );
}
