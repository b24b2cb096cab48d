/** Citations: the numbered button in the text, its hover card, the chips below, and the panel with the passage. */

import { t } from "../i18n";
import { el, icon, need } from "../ui/dom";
import { api, ApiError } from "./api";
import type { Passage, Source } from "./types";

const GAP_PX = 8;

const place = (source: Source): string => (source.page ? t("source.page", { page: source.page }) : "");

export function citationButton(source: Source): HTMLButtonElement {
  const label = t("source.open", { n: source.n, title: source.title });
  const button = el("button", { type: "button", class: "cite", "aria-label": label }, String(source.n));
  button.addEventListener("click", () => void openPassage(source));
  for (const event of ["pointerenter", "focus"]) button.addEventListener(event, () => showCard(button, source));
  for (const event of ["pointerleave", "blur"]) button.addEventListener(event, hideCard);
  return button;
}

/** The list under an answer; each source once. */
export function sourceChips(sources: readonly Source[]): HTMLElement {
  const list = el("ul", { class: "source-chips", "aria-label": t("source.heading") });
  for (const source of sources) {
    const chip = el(
      "button",
      { type: "button", class: "source-chip" },
      el("span", { class: "source-number" }, String(source.n)),
      el("span", { class: "truncate", dir: "auto" }, source.title),
      place(source) ? el("span", { class: "text-muted" }, place(source)) : null,
    );
    chip.addEventListener("click", () => void openPassage(source));
    list.append(el("li", {}, chip));
  }
  return list;
}

let card: HTMLElement | null = null;

function showCard(button: HTMLElement, source: Source): void {
  hideCard();
  card = el(
    "div",
    { class: "source-card", "aria-hidden": "true" },
    el("strong", { dir: "auto" }, source.title),
    place(source) ? el("span", { class: "text-muted" }, place(source)) : null,
  );
  document.body.append(card);
  const at = button.getBoundingClientRect();
  const left = Math.min(Math.max(GAP_PX, at.left), innerWidth - card.offsetWidth - GAP_PX);
  const above = at.top - card.offsetHeight - GAP_PX;
  card.style.left = `${left}px`;
  card.style.top = `${above > GAP_PX ? above : at.bottom + GAP_PX}px`;
}

function hideCard(): void {
  card?.remove();
  card = null;
}

async function openPassage(source: Source): Promise<void> {
  hideCard();
  const panel = need<HTMLDialogElement>("#source-panel");
  const body = need("#source-body", panel);
  need("#source-title", panel).textContent = source.title;
  need("#source-place", panel).textContent = place(source);
  body.replaceChildren(el("p", { class: "text-muted" }, t("source.loading")));
  if (!panel.open) panel.showModal();
  try {
    showPassage(body, await api.passage(source.chunk_id));
  } catch (error) {
    const gone = error instanceof ApiError && error.status === 404;
    body.replaceChildren(
      el("div", { class: "notice notice-warn" }, icon("warning"), el("p", {}, t(gone ? "source.gone" : "source.failed"))),
    );
  }
}

function showPassage(body: HTMLElement, passage: Passage): void {
  const mark = el("mark", { tabindex: -1, "aria-label": t("source.passage") }, passage.text.trim());
  // The mark is a block of its own: the line ends around it would double the distance.
  const [before, after] = [passage.before.trimEnd(), passage.after.trimStart()];
  body.replaceChildren(el("div", { class: "passage", dir: "auto" }, before, mark, after));
  mark.scrollIntoView({ block: "center" });
}
