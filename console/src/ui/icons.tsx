const PATHS = {
  sun: "M8 5.25a2.75 2.75 0 1 0 0 5.5 2.75 2.75 0 0 0 0-5.5ZM8 1.5v1.25M8 13.25v1.25M1.5 8h1.25M13.25 8h1.25M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  moon: "M13.5 9.6A5.75 5.75 0 0 1 6.4 2.5a5.75 5.75 0 1 0 7.1 7.1Z",
  screen:
    "M3.25 2.75h9.5c.8 0 1.5.7 1.5 1.5v5.5c0 .8-.7 1.5-1.5 1.5h-9.5c-.8 0-1.5-.7-1.5-1.5v-5.5c0-.8.7-1.5 1.5-1.5ZM5.5 13.5h5M8 11.25v2.25",
  question:
    "M8 1.75a6.25 6.25 0 1 0 0 12.5 6.25 6.25 0 0 0 0-12.5ZM6.2 6.3c.2-1 .9-1.6 1.9-1.6 1.1 0 1.9.7 1.9 1.7 0 1.4-1.9 1.5-1.9 2.9M8 11.3v.01",
  arrow: "M3 8h9.5M9 4.5 12.5 8 9 11.5",
  external: "M6 3.5H3.5v9h9V10M9 3h4v4M13 3 7.5 8.5",
  copy: "M7 5.5h5c.8 0 1.5.7 1.5 1.5v5c0 .8-.7 1.5-1.5 1.5H7A1.5 1.5 0 0 1 5.5 12V7c0-.8.7-1.5 1.5-1.5ZM10.5 3.5v-.25a.75.75 0 0 0-.75-.75h-6.5a.75.75 0 0 0-.75.75v6.5c0 .4.3.75.75.75h.25",
  check: "m3 8.5 3.25 3.25L13 5",
} as const;

interface IconProps {
  readonly name: keyof typeof PATHS;
  readonly className?: string;
}

/** An icon says what a label beside it says too; it is hidden from assistive technology. */
export function Icon({ name, className = "size-4" }: IconProps) {
  return (
    <svg
      className={className}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** Water under a leaf: the lake and what grows from it. */
export function Mark({ className = "size-7" }: { className?: string }) {
  return (
    <svg className={className} viewBox="0 0 32 32" fill="none" aria-hidden="true">
      <rect width="32" height="32" rx="8" className="fill-[#1d6b45]" />
      <g stroke="#fff" strokeWidth="2.1" strokeLinecap="round" strokeLinejoin="round">
        <path d="M6 20.5c3.3 0 3.3-3 6.7-3s3.3 3 6.6 3 3.4-3 6.7-3M6 25c3.3 0 3.3-3 6.7-3s3.3 3 6.6 3 3.4-3 6.7-3" />
        <path d="M16 14.5V9m0 0c0-2.6-2-4.2-5-4.2 0 2.9 2 4.5 5 4.2Zm0 1.6c0-2.3 1.7-3.7 4.5-3.7 0 2.5-1.7 4-4.5 3.7Z" />
      </g>
    </svg>
  );
}
