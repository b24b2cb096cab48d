/** From clean HTML to the page's own pieces: code blocks with tools, scrolling tables, safe links, citation buttons. */

import { t } from "../../i18n";
import { copyText } from "../../ui/copy";
import { el, icon } from "../../ui/dom";

export interface Enhancer {
  /** The button for `[n]`, or null when the answer has no such source. */
  citation(n: number): HTMLElement | null;
}

export function enhance(html: string, enhancer: Enhancer): DocumentFragment {
  const template = document.createElement("template");
  template.innerHTML = html;
  const content = template.content;
  for (const pre of content.querySelectorAll("pre")) {
    const code = pre.querySelector("code");
    pre.replaceWith(codeBlock(code?.textContent ?? "", languageOf(code), true).element);
  }
  for (const table of content.querySelectorAll("table")) {
    const scroll = el("div", { class: "md-table", tabindex: 0, role: "region", "aria-label": t("md.table") });
    table.replaceWith(scroll);
    scroll.append(table);
  }
  for (const link of content.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
  }
  for (const box of content.querySelectorAll("input")) {
    box.setAttribute("aria-label", t(box.checked ? "md.task_done" : "md.task_open"));
  }
  for (const cite of content.querySelectorAll("cite")) {
    cite.replaceWith(enhancer.citation(Number(cite.dataset["n"])) ?? cite.textContent ?? "");
  }
  return content;
}

function languageOf(code: Element | null): string {
  return /(?:^|\s)language-(\S+)/.exec(code?.className ?? "")?.[1] ?? "";
}

/** `finished` code is highlighted as soon as the highlighter is loaded; growing code stays one text node. */
export function codeBlock(code: string, language: string, finished = false): { element: HTMLElement; text: Text } {
  const text = document.createTextNode(code);
  const body = el("code", {}, text);
  const pre = el("pre", { dir: "ltr", tabindex: 0, role: "region", "aria-label": t("md.code") }, body);
  const element = el("div", { class: "md-code" }, toolbar(language, body, pre), pre);
  if (finished && language) void highlightLater(body, code, language);
  return { element, text };
}

function toolbar(language: string, body: HTMLElement, pre: HTMLElement): HTMLElement {
  const copy = el("button", { type: "button", class: "md-tool" }, icon("copy"), t("md.copy"));
  copy.addEventListener("click", () => void copyCode(copy, body));
  const wrap = el("button", { type: "button", class: "md-tool", "aria-pressed": "false" }, icon("wrap"), t("md.wrap"));
  wrap.addEventListener("click", () => {
    const on = pre.classList.toggle("is-wrapped");
    wrap.setAttribute("aria-pressed", String(on));
  });
  return el("div", { class: "md-code-bar" }, el("span", { class: "md-code-name" }, language || t("md.plain")), wrap, copy);
}

async function copyCode(button: HTMLElement, body: HTMLElement): Promise<void> {
  const done = await copyText((body.textContent ?? "").replace(/\n$/, ""));
  button.replaceChildren(icon(done ? "check" : "close"), t(done ? "common.copied" : "md.copy_failed"));
  setTimeout(() => button.replaceChildren(icon("copy"), t("md.copy")), 1600);
}

async function highlightLater(body: HTMLElement, code: string, language: string): Promise<void> {
  const { highlight } = await import("./highlight");
  const html = highlight(code, language);
  if (html !== null) body.innerHTML = html;
}
