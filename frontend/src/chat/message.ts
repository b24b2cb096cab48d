/** One message on the page. */

import { t } from "../i18n";
import { copyText } from "../ui/copy";
import { el, icon, iconButton } from "../ui/dom";
import { toast } from "../ui/toast";
import { enhance, type Enhancer } from "./markdown/enhance";
import { render } from "./markdown/parse";
import { StreamRenderer } from "./markdown/stream";
import { citationButton, sourceChips } from "./sources";
import type { Message, ModelCard, Source } from "./types";
import { finishNotice, metaText, troubleText, type Trouble } from "./words";

/** What a message can ask of the page. */
export interface MessageActions {
  branch(message: Message): { at: number; of: number };
  step(message: Message, by: number): void;
  edit(message: Message, text: string): void;
  regenerate(message: Message, model?: string): void;
  models(): ModelCard[];
  canWrite(): boolean;
}

async function copyMessage(text: string): Promise<void> {
  toast({ text: t((await copyText(text)) ? "common.copied" : "common.copy_failed") });
}

function pager(message: Message, actions: MessageActions): HTMLElement | null {
  const { at, of } = actions.branch(message);
  if (of < 2) return null;
  const back = iconButton("chevron-start", t("tool.previous"), () => actions.step(message, -1));
  const on = iconButton("chevron-end", t("tool.next"), () => actions.step(message, 1));
  back.disabled = at === 1;
  on.disabled = at === of;
  const count = el("span", { class: "pager-count" }, `${at}/${of}`);
  count.setAttribute("aria-label", t("tool.version", { at, all: of }));
  return el("div", { class: "pager", role: "group" }, back, count, on);
}

export class UserView {
  readonly element: HTMLElement;
  private readonly text: HTMLElement;
  private readonly tools = el("div", { class: "msg-tools" });
  private readonly note = el("div", { class: "msg-note" });

  constructor(
    public message: Message,
    private readonly actions: MessageActions,
  ) {
    this.text = el("div", { class: "msg-bubble", dir: "auto" }, message.text);
    this.element = el("article", { class: "msg msg-user", "aria-label": t("chat.you") }, this.text, this.note, this.tools);
  }

  /** Before the server confirmed it. */
  showPending(text: string): void {
    this.element.classList.add("is-pending");
    this.note.classList.remove("is-bad");
    this.note.replaceChildren(text);
    this.tools.replaceChildren();
  }

  showAccepted(): void {
    this.element.classList.remove("is-pending");
    this.note.replaceChildren();
  }

  showFailed(text: string, retry: () => void): void {
    this.element.classList.remove("is-pending");
    const button = el("button", { type: "button", class: "link-text" }, t("common.retry"));
    button.addEventListener("click", retry);
    this.note.replaceChildren(icon("warning"), el("span", {}, text), button);
    this.note.classList.add("is-bad");
  }

  showSettled(): void {
    this.element.classList.remove("is-pending");
    this.note.classList.remove("is-bad");
    this.note.replaceChildren();
    this.tools.replaceChildren();
    const page = pager(this.message, this.actions);
    if (page) this.tools.append(page);
    this.tools.append(iconButton("copy", t("tool.copy"), () => void copyMessage(this.message.text)));
    if (this.actions.canWrite()) this.tools.append(iconButton("edit", t("tool.edit"), () => this.startEdit()));
  }

  startEdit(): void {
    if (this.element.querySelector("form")) return;
    const box = el("textarea", { class: "edit-box", "aria-label": t("tool.edit_label"), dir: "auto", rows: 3 });
    box.value = this.message.text;
    const cancel = el("button", { type: "button", class: "btn btn-sm btn-ghost" }, t("common.cancel"));
    const send = el("button", { type: "submit", class: "btn btn-sm btn-primary" }, t("tool.send_edit"));
    const form = el("form", { class: "edit-form" }, box, el("div", { class: "edit-actions" }, cancel, send));
    const close = (): void => {
      form.replaceWith(this.text);
      this.tools.hidden = false;
    };
    cancel.addEventListener("click", close);
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!box.value.trim()) return;
      close();
      this.actions.edit(this.message, box.value);
    });
    this.text.replaceWith(form);
    this.tools.hidden = true;
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
  }
}

export class AnswerView {
  readonly element: HTMLElement;
  private readonly status = el("div", { class: "msg-status", hidden: true });
  private readonly body = el("div", { class: "md", dir: "auto" });
  private readonly foot = el("div", { class: "msg-foot" });
  private stream: StreamRenderer | null = null;
  private sources: Source[];

  constructor(
    public message: Message,
    private readonly actions: MessageActions,
    private readonly onPaint: () => void,
  ) {
    this.sources = message.sources;
    this.element = el(
      "article",
      { class: "msg msg-answer", "aria-label": t("chat.answer") },
      this.status,
      this.body,
      this.foot,
    );
  }

  private get enhancer(): Enhancer {
    return {
      citation: (n) => {
        const source = this.sources.find((one) => one.n === n);
        return source ? citationButton(source) : null;
      },
    };
  }

  /** A stored answer. */
  showStored(): void {
    this.body.replaceChildren(enhance(render(this.message.text), this.enhancer));
    this.settle(null);
    if (this.message.status === "failed") {
      this.showTrouble({ code: this.message.error_code ?? "", detail: "" }, () => this.actions.regenerate(this.message));
    }
  }

  startStream(status: string): void {
    this.stream = new StreamRenderer(this.body, this.enhancer, this.onPaint);
    this.foot.replaceChildren();
    this.showStatus(status);
  }

  showStatus(text: string | null): void {
    this.status.hidden = text === null;
    this.status.replaceChildren(comb(), el("span", {}, text ?? ""));
  }

  setSources(sources: Source[]): void {
    this.sources = sources;
    this.message.sources = sources;
  }

  add(text: string): void {
    this.message.text += text;
    this.stream?.push(text);
  }

  endStream(elapsedMs: number | null): void {
    this.stream?.finish();
    this.stream = null;
    this.showStatus(null);
    this.settle(elapsedMs);
  }

  showTrouble(trouble: Trouble, retry: () => void): void {
    this.showStatus(null);
    const button = el("button", { type: "button", class: "btn btn-sm" }, icon("again"), t("common.retry"));
    button.addEventListener("click", retry);
    const notice = el(
      "div",
      { class: "notice notice-bad msg-trouble", role: "alert" },
      icon("warning"),
      el("p", { class: "flex-1" }, troubleText(trouble)),
    );
    if (this.actions.canWrite()) notice.append(button);
    this.foot.before(notice);
  }

  /** Branch pager and tools again, after the tree changed. */
  refresh(): void {
    if (!this.stream) this.settle(null, this.foot.querySelector(".msg-meta")?.textContent ?? undefined);
  }

  private settle(elapsedMs: number | null, meta = metaText(this.message, elapsedMs)): void {
    const notice = finishNotice(this.message.finish);
    const cited = citedSources(this.message.text, this.sources);
    this.foot.replaceChildren();
    if (notice) this.foot.append(el("p", { class: "msg-finish" }, icon("info"), notice));
    if (cited.length) this.foot.append(sourceChips(cited));
    this.foot.append(this.tools(meta));
  }

  private tools(meta: string): HTMLElement {
    const tools = el("div", { class: "msg-tools" });
    const page = pager(this.message, this.actions);
    if (page) tools.append(page);
    if (this.message.text) tools.append(iconButton("copy", t("tool.copy"), () => void copyMessage(this.message.text)));
    if (this.actions.canWrite()) tools.append(this.regenerateMenu());
    if (meta) tools.append(el("span", { class: "msg-meta" }, meta));
    return tools;
  }

  private regenerateMenu(): HTMLElement {
    const button = iconButton("again", t("tool.again"), () => {});
    button.dataset["menuButton"] = "";
    button.setAttribute("aria-haspopup", "true");
    button.setAttribute("aria-expanded", "false");
    const list = el("div", { class: "menu-list opens-up", "data-menu-list": "", hidden: true });
    const host = el("div", { class: "menu-host", "data-menu": "" }, button, list);
    // Filled when opened: the models may have changed since the answer was drawn.
    button.addEventListener("click", () => this.fillRegenerate(list), true);
    return host;
  }

  private fillRegenerate(list: HTMLElement): void {
    const entry = (label: string, model?: string): HTMLElement => {
      const item = el("button", { type: "button", class: "menu-item" }, label);
      item.addEventListener("click", () => this.actions.regenerate(this.message, model));
      return item;
    };
    const others = this.actions.models().filter((model) => model.available && model.name !== this.message.model);
    list.replaceChildren(entry(t("tool.again_same"), this.message.model || undefined));
    if (others.length) list.append(el("p", { class: "menu-label" }, t("tool.again_with")));
    list.append(...others.slice(0, 12).map((model) => entry(model.name, model.name)));
  }
}

/** Only what the text cites. */
export function citedSources(text: string, sources: readonly Source[]): Source[] {
  const cited = new Set([...text.matchAll(/\[(\d{1,3})\]/g)].map((match) => Number(match[1])));
  return sources.filter((source) => cited.has(source.n));
}

/** Three cells that fill in turn: something is going on. */
function comb(): HTMLElement {
  return el("span", { class: "comb", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
}
