import { useEffect, type RefObject } from "react";

let pages = 0;

/** Names the browser tab and, on a page come to by a link, has the heading read out by focusing it. */
export function usePage(title: string, heading: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    document.title = `${title} · JupyterHub`;
  }, [title]);
  useEffect(() => {
    // On the first page the browser's own order (navigation first) stays.
    if (pages > 0) heading.current?.focus({ preventScroll: true });
    pages += 1;
  }, [heading]);
}
