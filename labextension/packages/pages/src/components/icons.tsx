import type { ReactNode } from "react";

/** 16×16 line icons drawn in the text's colour. Always beside a word, so hidden from screen readers. */
const SHAPES = {
  play: <path d="M5 3.2v9.6L12.5 8z" fill="currentColor" />,
  stop: <rect x="4" y="4" width="8" height="8" rx="1" fill="currentColor" />,
  open: <path d="M9.5 2.5h4v4M13.2 2.8 8 8M12.5 9.5v3a1 1 0 0 1-1 1h-8a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1h3" />,
  save: <path d="M8 2.5v7M5 6.8l3 3 3-3M2.5 10.5v2a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1v-2" />,
  trash: <path d="M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 8.1a1 1 0 0 0 1 .9h4.8a1 1 0 0 0 1-.9l.6-8.1" />,
  fork: (
    <>
      <circle cx="4.5" cy="3.5" r="1.5" />
      <circle cx="11.5" cy="3.5" r="1.5" />
      <circle cx="8" cy="12.5" r="1.5" />
      <path d="M4.5 5v1.5A1.5 1.5 0 0 0 6 8h4a1.5 1.5 0 0 0 1.5-1.5V5M8 8v3" />
    </>
  ),
  edit: <path d="m10.5 2.8 2.7 2.7-7.5 7.5-3.2.5.5-3.2zM9 4.3 11.7 7" />,
  plus: <path d="M8 3v10M3 8h10" />,
  check: <path d="m3 8.5 3.2 3.2L13 4.8" />,
  cross: <path d="m4 4 8 8M12 4l-8 8" />,
  dot: <circle cx="8" cy="8" r="3" fill="currentColor" />,
  circle: <circle cx="8" cy="8" r="4.5" />,
  moon: <path d="M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6z" />,
  warning: <path d="M8 2.3 14.2 13H1.8zM8 6.5v3M8 11.2v.3" />,
  info: (
    <>
      <circle cx="8" cy="8" r="5.7" />
      <path d="M8 7.3v3.5M8 5v.3" />
    </>
  ),
  clock: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="M8 4.8V8l2.2 1.4" />
    </>
  ),
  layers: <path d="M8 2.2 14 5.3 8 8.4 2 5.3zM2.4 8.2 8 11l5.6-2.8M2.4 10.9 8 13.7l5.6-2.8" />,
  person: (
    <>
      <circle cx="8" cy="5" r="2.5" />
      <path d="M2.8 13.5a5.2 5.2 0 0 1 10.4 0" />
    </>
  ),
  chip: (
    <>
      <rect x="4.5" y="4.5" width="7" height="7" rx="1" />
      <path d="M6.5 2v2.5M9.5 2v2.5M6.5 11.5V14M9.5 11.5V14M2 6.5h2.5M2 9.5h2.5M11.5 6.5H14M11.5 9.5H14" />
    </>
  ),
  server: (
    <>
      <rect x="2.5" y="3" width="11" height="4.2" rx="1" />
      <rect x="2.5" y="8.8" width="11" height="4.2" rx="1" />
      <path d="M5 5.1h.2M5 10.9h.2" />
    </>
  ),
  down: <path d="m4 6 4 4 4-4" />,
  up: <path d="m4 10 4-4 4 4" />,
  right: <path d="m6 4 4 4-4 4" />,
  back: <path d="M10 3.5 5.5 8l4.5 4.5" />,
  search: (
    <>
      <circle cx="7" cy="7" r="4.2" />
      <path d="m10.2 10.2 3.3 3.3" />
    </>
  ),
  theme: (
    <>
      <circle cx="8" cy="8" r="5.7" />
      <path d="M8 2.3a5.7 5.7 0 0 1 0 11.4z" fill="currentColor" />
    </>
  ),
  menu: <path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11" />,
  leave: <path d="M6.5 2.5h-3a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h3M10 5l3 3-3 3M12.5 8H6" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof SHAPES | "spin";

export function Icon({ name, className = "" }: { name: IconName; className?: string }) {
  if (name === "spin") return <span className={`st-spin ${className}`} aria-hidden="true" />;
  return (
    <svg
      className={`st-icon ${className}`}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {SHAPES[name]}
    </svg>
  );
}

/** The picture of a template: its own drawing where we have one, else the first letter of its title. */
export function TemplateIcon({ icon, title }: { icon: string; title: string }) {
  if (icon !== "jupyter") {
    return (
      <span className="st-template-icon" aria-hidden="true">
        {title.trim().charAt(0).toUpperCase()}
      </span>
    );
  }
  return (
    <span className="st-template-icon st-template-jupyter" aria-hidden="true">
      <svg viewBox="0 0 32 32" focusable="false">
        <path d="M5 13c1.6-4.3 5.9-7 11-7s9.4 2.7 11 7c-2.2-1.8-6.2-3-11-3s-8.8 1.2-11 3z" />
        <path d="M5 19c1.6 4.3 5.9 7 11 7s9.4-2.7 11-7c-2.2 1.8-6.2 3-11 3s-8.8-1.2-11-3z" />
        <circle cx="25.5" cy="5" r="1.9" />
        <circle cx="6.3" cy="27" r="2.3" />
        <circle cx="6" cy="6.5" r="1.3" />
      </svg>
    </span>
  );
}
