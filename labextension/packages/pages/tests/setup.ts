import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach, beforeEach } from "vitest";

// What jsdom lacks: modal dialogs, scrolling, media queries.
HTMLDialogElement.prototype.showModal = function (): void {
  this.open = true;
  this.querySelector<HTMLElement>("input, button")?.focus();
};
HTMLDialogElement.prototype.close = function (): void {
  this.open = false;
};
Element.prototype.scrollIntoView = () => undefined;
window.scrollTo = () => undefined;
window.matchMedia = (query) =>
  ({ matches: false, media: query, addEventListener: () => undefined }) as unknown as MediaQueryList;

beforeEach(() => {
  localStorage.clear();
  document.cookie = "_xsrf=2|token; path=/";
});
afterEach(() => cleanup());
