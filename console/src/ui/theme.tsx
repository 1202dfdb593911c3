import { ToggleGroup } from "radix-ui";
import { useSyncExternalStore } from "react";
import { Icon } from "./icons.tsx";

/** What a reader chose; "system" follows the system. Also read by public/theme.js at start. */
export type Theme = "system" | "light" | "dark";

const KEY = "lakemill-theme";
const dark = () => window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function chosen(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === "light" || theme === "dark" ? theme : "system";
}

function choose(theme: Theme): void {
  if (theme === "system") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  for (const listener of listeners) {
    listener();
  }
}

function subscribe(listener: () => void): () => void {
  const system = dark();
  listeners.add(listener);
  system.addEventListener("change", listener);
  return () => {
    listeners.delete(listener);
    system.removeEventListener("change", listener);
  };
}

/** The theme that is shown. */
export function useShownTheme(): "light" | "dark" {
  return useSyncExternalStore(subscribe, () => {
    const theme = chosen();
    return theme === "system" ? (dark().matches ? "dark" : "light") : theme;
  });
}

const CHOICES = [
  { theme: "light", label: "Light", icon: "sun" },
  { theme: "system", label: "As the system", icon: "screen" },
  { theme: "dark", label: "Dark", icon: "moon" },
] as const;

export function ThemeSwitch() {
  const theme = useSyncExternalStore(subscribe, chosen);
  return (
    <ToggleGroup.Root
      type="single"
      value={theme}
      onValueChange={(value) => value !== "" && choose(value as Theme)}
      aria-label="Theme"
      className="flex rounded-full border border-line bg-surface p-0.5"
    >
      {CHOICES.map(({ theme, label, icon }) => (
        <ToggleGroup.Item
          key={theme}
          value={theme}
          aria-label={label}
          title={label}
          className="grid size-7 place-items-center rounded-full text-muted transition-colors hover:text-ink data-[state=on]:bg-accent-tint data-[state=on]:text-accent"
        >
          <Icon name={icon} className="size-3.5" />
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
