/** What jsdom lacks and the modules under test need. */
import { vi } from "vitest";

vi.stubGlobal(
  "ResizeObserver",
  class {
    observe(): void {}
    disconnect(): void {}
  },
);
document.documentElement.lang = "en";
