// Light and dark: the system's choice unless the reader chose otherwise.

const KEY = "workspace-theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** True when dark colours are shown now. */
export function themeIsDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : dark.matches;
}

/** Switch between light and dark and remember it. */
export function toggleTheme() {
  const next = themeIsDark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing still shows the chosen colours until it is closed.
  }
}

/** Apply the remembered choice; `changed` is called when the system changes its mind. */
export function startTheme(changed) {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept) document.documentElement.dataset.theme = kept;
  } catch {
    // No storage: the system's choice it is.
  }
  dark.addEventListener("change", changed);
}
