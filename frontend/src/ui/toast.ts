import { t } from "../i18n";
import { el, need } from "./dom";

const SHOWN_MS = 8000;

interface Toast {
  text: string;
  action?: { label: string; run: () => void };
  /** Called once when the toast goes without its action having been used. */
  onExpire?: () => void;
}

/** A short message at the foot of the page; pointing at it or focusing it keeps it there. */
export function toast({ text, action, onExpire }: Toast): void {
  const item = el("div", { class: "toast-item" }, el("span", { class: "flex-1" }, text));
  let settled = false;
  const settle = (used: boolean): void => {
    if (settled) return;
    settled = true;
    item.remove();
    if (!used) onExpire?.();
  };
  const button = el("button", { type: "button" }, action?.label ?? t("common.close"));
  button.addEventListener("click", () => {
    settle(Boolean(action));
    action?.run();
  });
  item.append(button);
  expireWhenIdle(item, () => settle(false));
  need("#toasts").append(item);
}

function expireWhenIdle(item: HTMLElement, expire: () => void): void {
  let timer = setTimeout(expire, SHOWN_MS);
  const hold = (): void => clearTimeout(timer);
  const resume = (): void => {
    clearTimeout(timer);
    timer = setTimeout(expire, SHOWN_MS);
  };
  item.addEventListener("pointerenter", hold);
  item.addEventListener("pointerleave", resume);
  item.addEventListener("focusin", hold);
  item.addEventListener("focusout", resume);
}

/** Messages the server rendered close like the others. */
export function startToasts(): void {
  for (const item of document.querySelectorAll<HTMLElement>("[data-toast]")) {
    item.querySelector("[data-toast-close]")?.addEventListener("click", () => item.remove());
    if (item.dataset["level"] !== "error") expireWhenIdle(item, () => item.remove());
  }
}
