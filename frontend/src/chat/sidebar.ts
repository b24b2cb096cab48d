/** The list of conversations: by day, searched by title; rename, pin, delete with undo. */

import { t } from "../i18n";
import { el, icon, need } from "../ui/dom";
import { toast } from "../ui/toast";
import { api } from "./api";
import { groupByDay } from "./days";
import type { ConversationItem } from "./types";

const SEARCH_PAUSE_MS = 200;
const IN_USE_PAUSE_MS = 400;

export interface SidebarActions {
  open(id: string): void;
  /** The conversation that is shown was deleted or got another title. */
  removed(id: string): void;
  renamed(id: string, title: string): void;
}

export class Sidebar {
  private readonly list = need("#conversations");
  private readonly search = need<HTMLInputElement>("#conversation-search");
  private items: ConversationItem[] = [];
  private next: string | null = null;
  private current: string | null = null;
  private searchTimer: ReturnType<typeof setTimeout> | undefined;
  private idleTimer: ReturnType<typeof setTimeout> | undefined;
  private loads = 0;

  constructor(private readonly actions: SidebarActions) {
    this.search.addEventListener("input", () => {
      clearTimeout(this.searchTimer);
      this.searchTimer = setTimeout(() => void this.load(), SEARCH_PAUSE_MS);
    });
  }

  async load(): Promise<void> {
    const load = ++this.loads;
    try {
      const page = await api.conversations(this.search.value.trim());
      if (load !== this.loads) return; // a later search has overtaken this one
      this.items = page.results;
      this.next = page.next;
      this.drawWhenIdle();
    } catch {
      if (load === this.loads && !this.items.length) this.drawNote(t("list.failed"));
    }
  }

  setCurrent(id: string | null): void {
    this.current = id;
    for (const link of this.list.querySelectorAll<HTMLElement>("[data-id]")) {
      if (link.dataset["id"] === id) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  /** Marks a conversation as being answered, or not, without asking the server. */
  setRunning(id: string, turn: string | null): void {
    const item = this.items.find((one) => one.id === id);
    if (!item || item.running_turn === turn) return;
    item.running_turn = turn;
    this.drawWhenIdle();
  }

  private drawNote(text: string): void {
    this.list.replaceChildren(el("p", { class: "list-note" }, text));
  }

  /** News from the server must not take a menu or a title being typed out of somebody's hands. */
  private drawWhenIdle(): void {
    clearTimeout(this.idleTimer);
    if (this.list.querySelector(".list-rename, [data-menu-list]:not([hidden])")) {
      this.idleTimer = setTimeout(() => this.drawWhenIdle(), IN_USE_PAUSE_MS);
      return;
    }
    const focused = document.activeElement?.closest<HTMLElement>("#conversations [data-id]")?.dataset["id"];
    this.draw();
    if (focused) this.list.querySelector<HTMLElement>(`[data-id="${focused}"]`)?.focus();
  }

  private draw(): void {
    const search = this.search.value.trim();
    if (!this.items.length) {
      this.drawNote(search ? t("list.no_match", { search }) : t("list.none"));
      return;
    }
    const groups = groupByDay(this.items, new Date()).map((group, at) => {
      const id = `list-group-${at}`;
      return el(
        "section",
        { "aria-labelledby": id },
        el("h2", { class: "list-label", id }, group.label),
        el("ul", {}, ...group.items.map((item) => this.row(item))),
      );
    });
    this.list.replaceChildren(...groups);
    if (this.next) this.list.append(this.moreButton(this.next));
  }

  private moreButton(next: string): HTMLElement {
    const button = el("button", { type: "button", class: "btn btn-ghost btn-sm mt-2 w-full" }, t("list.more"));
    button.addEventListener("click", async () => {
      button.disabled = true;
      const page = await api.moreConversations(next).catch(() => null);
      if (page) {
        this.items.push(...page.results);
        this.next = page.next;
      }
      this.draw();
    });
    return button;
  }

  private row(item: ConversationItem): HTMLElement {
    const title = item.title || t("list.untitled");
    const link = el(
      "a",
      { class: "list-link", href: `/chat/${item.id}/`, "data-id": item.id, title },
      el("span", { class: "truncate", dir: "auto" }, title),
      item.running_turn ? el("span", { class: "list-running" }, el("span", { class: "sr-only" }, t("list.running"))) : null,
    );
    if (item.id === this.current) link.setAttribute("aria-current", "page");
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      this.actions.open(item.id);
    });
    return el("li", { class: "list-row" }, link, this.menu(item, title));
  }

  private menu(item: ConversationItem, title: string): HTMLElement {
    const label = t("list.options", { title });
    const entry = (symbol: string, text: string, run: () => void, css = ""): HTMLElement => {
      const button = el("button", { type: "button", class: `menu-item ${css}` }, icon(symbol), text);
      button.addEventListener("click", run);
      return button;
    };
    const button = el(
      "button",
      { type: "button", class: "icon-button list-more", "aria-label": label, "aria-haspopup": "true", "aria-expanded": "false", "data-menu-button": "" },
      icon("more"),
    );
    const list = el(
      "div",
      { class: "menu-list opens-end", "data-menu-list": "", hidden: true },
      entry("edit", t("list.rename"), () => this.startRename(item)),
      entry("pin", t(item.pinned ? "list.unpin" : "list.pin"), () => void this.pin(item)),
      entry("trash", t("list.delete"), () => void this.remove(item, title), "menu-danger"),
    );
    return el("div", { class: "menu-host", "data-menu": "" }, button, list);
  }

  private startRename(item: ConversationItem): void {
    const row = this.list.querySelector(`[data-id="${item.id}"]`)?.closest(".list-row");
    if (!row) return;
    const input = el("input", { class: "list-rename", "aria-label": t("list.new_title"), maxlength: 200, dir: "auto" });
    input.value = item.title;
    let over = false;
    const end = (save: boolean): void => {
      if (over) return;
      over = true;
      const title = input.value.trim();
      if (save && title && title !== item.title) void this.rename(item, title);
      else this.draw();
    };
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") {
        event.stopPropagation();
        end(false);
      }
    });
    input.addEventListener("blur", () => end(true));
    row.replaceChildren(input);
    input.focus();
    input.select();
  }

  private async rename(item: ConversationItem, title: string): Promise<void> {
    const before = item.title;
    item.title = title;
    this.draw();
    if (await this.tried(api.patch(item.id, { title }))) this.actions.renamed(item.id, title);
    else item.title = before;
    this.draw();
  }

  private async pin(item: ConversationItem): Promise<void> {
    item.pinned = !item.pinned;
    this.draw();
    if (!(await this.tried(api.patch(item.id, { pinned: item.pinned })))) item.pinned = !item.pinned;
    this.draw();
  }

  private async remove(item: ConversationItem, title: string): Promise<void> {
    if (!(await this.tried(api.remove(item.id)))) return;
    this.items = this.items.filter((one) => one.id !== item.id);
    this.draw();
    this.actions.removed(item.id);
    toast({
      text: t("list.deleted", { title }),
      action: { label: t("common.undo"), run: () => void this.restore(item) },
    });
  }

  private async restore(item: ConversationItem): Promise<void> {
    if (await this.tried(api.restore(item.id))) await this.load();
  }

  private async tried(call: Promise<unknown>): Promise<boolean> {
    try {
      await call;
      return true;
    } catch {
      toast({ text: t("error.network") });
      return false;
    }
  }
}
