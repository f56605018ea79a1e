import * as React from "react";

/** 16×16 line icons that the pages around the explorer show too. */
export const SHARED_SHAPES = {
  plus: <path d="M8 3v10M3 8h10" />,
  trash: <path d="M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 8.1a1 1 0 0 0 1 .9h4.8a1 1 0 0 0 1-.9l.6-8.1" />,
  edit: <path d="m10.5 2.8 2.7 2.7-7.5 7.5-3.2.5.5-3.2zM9 4.3 11.7 7" />,
  clock: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="M8 4.8V8l2.2 1.4" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4.2" />
      <path d="m10.2 10.2 3.3 3.3" />
    </>
  ),
  check: <path d="m3 8.5 3.2 3.2L13 4.8" />,
  cross: <path d="m4 4 8 8M12 4l-8 8" />,
  warning: <path d="M8 2.3 14.2 13H1.8zM8 6.5v3M8 11.2v.3" />,
  info: (
    <>
      <circle cx="8" cy="8" r="5.7" />
      <path d="M8 7.3v3.5M8 5v.3" />
    </>
  ),
  down: <path d="m4 6 4 4 4-4" />,
  up: <path d="m4 10 4-4 4 4" />,
  right: <path d="m6 4 4 4-4 4" />,
  back: <path d="M10 3.5 5.5 8l4.5 4.5" />,
  download: <path d="M8 2.5v7M5 6.8l3 3 3-3M2.5 10.5v2a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1v-2" />,
  refresh: <path d="M13.2 8A5.2 5.2 0 1 1 11.6 4.2M13.4 2.2v3h-3" />,
  lock: (
    <>
      <rect x="3.4" y="7" width="9.2" height="6.6" rx="1" />
      <path d="M5.4 7V5.2a2.6 2.6 0 0 1 5.2 0V7" />
    </>
  ),
  stop: <rect x="4" y="4" width="8" height="8" rx="1" fill="currentColor" />,
} satisfies Record<string, React.ReactNode>;
