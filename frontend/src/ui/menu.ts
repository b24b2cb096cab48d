/**
 * Menus: `[data-menu]` holds `[data-menu-button]` and `[data-menu-list]`. Arrows, Home, End and Escape work;
 * Tab leaves and closes. The items stay ordinary links and buttons.
 */

const ITEMS = "a[href], button:not([disabled])";

function parts(host: Element): { button: HTMLElement; list: HTMLElement } | null {
  const button = host.querySelector<HTMLElement>("[data-menu-button]");
  const list = host.querySelector<HTMLElement>("[data-menu-list]");
  return button && list ? { button, list } : null;
}

export function setMenu(host: Element, open: boolean): void {
  const found = parts(host);
  if (!found) return;
  found.list.hidden = !open;
  found.button.setAttribute("aria-expanded", String(open));
}

function openHosts(): Element[] {
  return [...document.querySelectorAll("[data-menu]")].filter((host) => parts(host)?.list.hidden === false);
}

export function closeMenus(except?: Element): void {
  for (const host of openHosts()) if (host !== except) setMenu(host, false);
}

function move(list: HTMLElement, key: string): void {
  const items = [...list.querySelectorAll<HTMLElement>(ITEMS)].filter((item) => item.offsetParent !== null);
  const at = items.indexOf(document.activeElement as HTMLElement);
  const last = items.length - 1;
  const next = { ArrowDown: at >= last ? 0 : at + 1, ArrowUp: at <= 0 ? last : at - 1, Home: 0, End: last }[key];
  if (next !== undefined) items[next]?.focus();
}

function onClick(event: MouseEvent): void {
  const target = event.target as Element;
  const host = target.closest("[data-menu]");
  if (host && target.closest("[data-menu-button]")) {
    const open = parts(host)?.list.hidden === true;
    closeMenus();
    setMenu(host, open);
    if (open && event.detail === 0) move(parts(host)!.list, "Home"); // opened from the keyboard
    return;
  }
  if (host && target.closest("[data-menu-stay], [data-theme-choice], input, label")) return;
  if (!host || target.closest(".menu-item")) closeMenus();
}

function onKey(event: KeyboardEvent): void {
  const host = (event.target as Element).closest?.("[data-menu]");
  const found = host && parts(host);
  if (!host || !found || found.list.hidden) return;
  if (event.key === "Escape") {
    event.stopPropagation();
    setMenu(host, false);
    found.button.focus();
  } else if (["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key) && !(event.target instanceof HTMLInputElement)) {
    event.preventDefault();
    move(found.list, event.key);
  }
}

export function startMenus(): void {
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("focusin", (event) => {
    const inside = (event.target as Element).closest("[data-menu]");
    closeMenus(inside ?? undefined);
  });
}
