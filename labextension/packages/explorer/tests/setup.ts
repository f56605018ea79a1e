import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

// What jsdom lacks: modal dialogs, scrolling, and any size of anything, without which no row is in sight.
HTMLDialogElement.prototype.showModal = function (): void {
  this.open = true;
  this.querySelector<HTMLElement>("input, select, textarea, button")?.focus();
};
HTMLDialogElement.prototype.close = function (): void {
  this.open = false;
};
Element.prototype.scrollTo = function (this: Element, to?: ScrollToOptions | number): void {
  if (typeof to !== "object" || to.top === undefined) return;
  this.scrollTop = to.top;
  this.dispatchEvent(new Event("scroll"));
};
for (const [side, pixels] of [
  ["Height", 600],
  ["Width", 900],
] as const)
  for (const name of [`client${side}`, `offset${side}`])
    Object.defineProperty(HTMLElement.prototype, name, { get: () => pixels });
globalThis.ResizeObserver = class {
  observe(): void {
    // Nothing ever changes its size here.
  }
  unobserve(): void {
    // As above.
  }
  disconnect(): void {
    // As above.
  }
};

// A busy machine is slow, and no test waits for long when it passes.
configure({ asyncUtilTimeout: 5000 });
afterEach(() => cleanup());
