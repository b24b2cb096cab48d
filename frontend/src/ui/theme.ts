/** Light, dark, or as the system says. The inline script of base.html applies the same rule before the first paint. */

export type ThemeChoice = "light" | "dark" | "system";

const KEY = "panal-theme";
const darkSystem = (): MediaQueryList => matchMedia("(prefers-color-scheme: dark)");

export function themeName(choice: ThemeChoice, systemIsDark: boolean): "panal" | "panal-dark" {
  return choice === "dark" || (choice === "system" && systemIsDark) ? "panal-dark" : "panal";
}

export function readChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system"; // storage is forbidden in some private windows
  }
}

function store(choice: ThemeChoice): void {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // Then the choice holds for this page only.
  }
}

function apply(choice: ThemeChoice): void {
  document.documentElement.dataset["theme"] = themeName(choice, darkSystem().matches);
  for (const button of document.querySelectorAll<HTMLElement>("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset["themeChoice"] === choice));
  }
}

export function startTheme(): void {
  apply(readChoice());
  darkSystem().addEventListener("change", () => apply(readChoice()));
  window.addEventListener("storage", (event) => {
    if (event.key === KEY) apply(readChoice());
  });
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-theme-choice]");
    if (!button) return;
    const choice = button.dataset["themeChoice"] as ThemeChoice;
    store(choice);
    apply(choice);
  });
}
