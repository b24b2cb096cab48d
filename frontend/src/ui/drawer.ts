/** The side rail as a drawer on narrow screens: shade, Escape, focus inside while open and back to its button after. */

import { el } from "./dom";

const narrow = (): boolean => matchMedia("(max-width: 55.99rem)").matches;

let opener: HTMLElement | null = null;
let shade: HTMLElement | null = null;

function drawer(): HTMLElement | null {
  return document.querySelector<HTMLElement>("[data-drawer]");
}

export function openDrawer(from: HTMLElement): void {
  const side = drawer();
  if (!side || !narrow()) return;
  opener = from;
  side.classList.add("is-open");
  from.setAttribute("aria-expanded", "true");
  shade = el("div", { class: "shell-shade" });
  shade.addEventListener("click", closeDrawer);
  side.before(shade);
  document.querySelector(".shell-main")?.setAttribute("inert", "");
  side.querySelector<HTMLElement>("a[href], button")?.focus();
}

export function closeDrawer(): void {
  const side = drawer();
  if (!side?.classList.contains("is-open")) return;
  side.classList.remove("is-open");
  shade?.remove();
  document.querySelector(".shell-main")?.removeAttribute("inert");
  opener?.setAttribute("aria-expanded", "false");
  opener?.focus();
}

export function startDrawer(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const open = target.closest<HTMLElement>("[data-drawer-open]");
    if (open) openDrawer(open);
    else if (target.closest("[data-drawer-close]")) closeDrawer();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeDrawer();
  });
  matchMedia("(max-width: 55.99rem)").addEventListener("change", closeDrawer);
}
