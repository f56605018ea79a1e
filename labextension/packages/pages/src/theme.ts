/** The Hub's own dark mode: the same key, so that a choice holds on all its pages. */
const KEY = "jupyterhub-bs-theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function stored(): string | null {
  const theme = localStorage.getItem(KEY);
  return theme === "light" || theme === "dark" ? theme : null;
}

const apply = (): void =>
  document.documentElement.setAttribute("data-bs-theme", stored() ?? (dark.matches ? "dark" : "light"));

export function initTheme(): void {
  apply();
  dark.addEventListener("change", apply);
  window.addEventListener("storage", apply);
}

export function toggleTheme(): void {
  const now = document.documentElement.getAttribute("data-bs-theme");
  localStorage.setItem(KEY, now === "dark" ? "light" : "dark");
  apply();
}
