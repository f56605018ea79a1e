import { SHARED_SHAPES } from "@jupyterhub-studios/explorer";
import type { ReactNode } from "react";

/** 16×16 line icons drawn in the text's colour. Always beside a word, so hidden from screen readers. */
const SHAPES = {
  ...SHARED_SHAPES,
  play: <path d="M5 3.2v9.6L12.5 8z" fill="currentColor" />,
  open: <path d="M9.5 2.5h4v4M13.2 2.8 8 8M12.5 9.5v3a1 1 0 0 1-1 1h-8a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1h3" />,
  save: SHARED_SHAPES.download,
  share: (
    <>
      <circle cx="12" cy="3.8" r="1.8" />
      <circle cx="4" cy="8" r="1.8" />
      <circle cx="12" cy="12.2" r="1.8" />
      <path d="m5.6 7.2 4.8-2.6M5.6 8.8l4.8 2.6" />
    </>
  ),
  fork: (
    <>
      <circle cx="4.5" cy="3.5" r="1.5" />
      <circle cx="11.5" cy="3.5" r="1.5" />
      <circle cx="8" cy="12.5" r="1.5" />
      <path d="M4.5 5v1.5A1.5 1.5 0 0 0 6 8h4a1.5 1.5 0 0 0 1.5-1.5V5M8 8v3" />
    </>
  ),
  dot: <circle cx="8" cy="8" r="3" fill="currentColor" />,
  circle: <circle cx="8" cy="8" r="4.5" />,
  moon: <path d="M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6z" />,
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

/** 32×32 drawings of the templates that are ours. */
const TEMPLATES: Record<string, ReactNode> = {
  jupyter: (
    <>
      <path d="M5 13c1.6-4.3 5.9-7 11-7s9.4 2.7 11 7c-2.2-1.8-6.2-3-11-3s-8.8 1.2-11 3z" />
      <path d="M5 19c1.6 4.3 5.9 7 11 7s9.4-2.7 11-7c-2.2 1.8-6.2 3-11 3s-8.8-1.2-11-3z" />
      <circle cx="25.5" cy="5" r="1.9" />
      <circle cx="6.3" cy="27" r="2.3" />
      <circle cx="6" cy="6.5" r="1.3" />
    </>
  ),
  vscode: (
    <path d="M11.6 9.2 5 16l6.6 6.8 2.2-2L9.2 16l4.6-4.8zM20.4 9.2 18.2 11.2 22.8 16l-4.6 4.8 2.2 2L27 16z" />
  ),
  rstudio: (
    <path
      fillRule="evenodd"
      d="M16 4a12 12 0 1 0 0 24 12 12 0 0 0 0-24zM11 9.5h6.2a4 4 0 0 1 1.9 7.5l3.4 5.5h-3.1L16.3 17.500H13.600v5H11zm2.6 2.300v3.400h3.500a1.7 1.7 0 0 0 0-3.400z"
    />
  ),
  desktop: (
    <path
      fillRule="evenodd"
      d="M5 6h22a1.5 1.5 0 0 1 1.5 1.500v13A1.5 1.5 0 0 1 27 22h-8.500l.8 2.700H22V27H10v-2.300h2.700l.8-2.700H5a1.5 1.5 0 0 1-1.5-1.500v-13A1.5 1.5 0 0 1 5 6zm1 2.500v11h20v-11z"
    />
  ),
};

/** The picture of a template: its own drawing where we have one, else the first letter of its title. */
export function TemplateIcon({ icon, title }: { icon: string; title: string }) {
  const drawing = Object.hasOwn(TEMPLATES, icon) ? TEMPLATES[icon] : undefined;
  if (drawing === undefined) {
    return (
      <span className="st-template-icon" aria-hidden="true">
        {title.trim().charAt(0).toUpperCase()}
      </span>
    );
  }
  return (
    <span className="st-template-icon st-template-drawn" aria-hidden="true">
      <svg viewBox="0 0 32 32" focusable="false">
        {drawing}
      </svg>
    </span>
  );
}
