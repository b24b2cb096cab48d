import tailwindcss from "@tailwindcss/vite";
import { resolve } from "node:path";
import { defineConfig } from "vite";

const entry = (path: string): string => resolve(import.meta.dirname, path);

export default defineConfig({
  // Relative, so that dist works under any STATIC_URL and on a CDN.
  base: "./",
  plugins: [tailwindcss()],
  build: {
    outDir: "../static/dist",
    // Outside Vite's root nothing is emptied unless asked: stale files would be served for ever.
    emptyOutDir: true,
    // Not under `.vite/`: collectstatic skips dotted folders.
    manifest: "manifest.json",
    license: { fileName: "licenses.md" },
    target: "es2022",
    modulePreload: { polyfill: false },
    // No data: URLs of our own; the content security policy stays strict.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: [entry("src/app.css"), entry("src/app.ts"), entry("src/chat.ts")],
    },
  },
  test: {
    environment: "jsdom",
    setupFiles: ["tests/setup.ts"],
    include: ["tests/**/*.test.ts"],
  },
});
