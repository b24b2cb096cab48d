/** Which model answers, and which knowledge it may quote. Both are remembered on this device. */

import { t } from "../i18n";
import { el, icon, need } from "../ui/dom";
import { setMenu } from "../ui/menu";
import { api } from "./api";
import type { KnowledgeBase, ModelCard } from "./types";

const AUTO = "auto";

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Then the choice holds until the next reload.
  }
}

function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export class ModelPicker {
  private readonly host = need("#model-picker");
  private readonly list = need("[data-menu-list]", this.host);
  private chosen = recall("panal-model") ?? AUTO;
  models: ModelCard[] = [];

  constructor() {
    this.draw();
    need("[data-menu-button]", this.host).addEventListener("click", () => void this.load());
  }

  get model(): string {
    return this.chosen;
  }

  async load(): Promise<void> {
    try {
      this.models = (await api.models()).filter((model) => model.kind === "chat");
      if (this.chosen !== AUTO && !this.models.some((model) => model.name === this.chosen)) this.choose(AUTO);
    } catch {
      this.list.replaceChildren(el("p", { class: "menu-label" }, t("model.failed")));
      return;
    }
    this.draw();
  }

  private choose(name: string): void {
    this.chosen = name;
    remember("panal-model", name);
    setMenu(this.host, false);
    this.draw();
    need("[data-menu-button]", this.host).focus();
  }

  private draw(): void {
    const name = this.chosen === AUTO ? t("model.auto") : this.chosen;
    need("[data-picker-label]", this.host).textContent = name;
    need("[data-menu-button]", this.host).setAttribute("aria-label", t("model.label", { name }));
    const auto = this.item(AUTO, t("model.auto"), t("model.auto_hint"), true, null);
    this.list.replaceChildren(auto, ...this.models.map((model) => this.modelItem(model)));
  }

  private modelItem(model: ModelCard): HTMLElement {
    const [input, output] = [Number(model.input_price), Number(model.output_price)];
    const price = input || output ? t("model.price", { input, output }) : t("meta.free");
    const hint = model.available ? price : model.reason || t("model.unavailable");
    return this.item(model.name, model.name, hint, model.available, `${model.tier} · ${model.pool}`);
  }

  private item(name: string, label: string, hint: string, available: boolean, kind: string | null): HTMLElement {
    const chosen = name === this.chosen;
    const item = el(
      "button",
      { type: "button", class: "menu-item picker-item", "aria-disabled": available ? undefined : "true" },
      el("span", { class: "picker-check" }, chosen ? icon("check") : null),
      el(
        "span",
        { class: "min-w-0 flex-1" },
        el("span", { class: "picker-name" }, el("bdi", {}, label), kind ? el("span", { class: "picker-kind" }, kind) : null),
        el("span", { class: "picker-hint" }, hint),
      ),
    );
    if (chosen) item.setAttribute("aria-current", "true");
    item.addEventListener("click", (event) => {
      if (available) this.choose(name);
      else event.stopPropagation();
    });
    return item;
  }
}

export class KnowledgePicker {
  private readonly host = need("#kb-picker");
  private readonly list = need("[data-menu-list]", this.host);
  private bases: KnowledgeBase[] = [];
  /** Null: all of them, also those that come later. */
  private chosen: Set<string> | null = null;

  constructor() {
    const stored = recall("panal-kb");
    if (stored) this.chosen = new Set(JSON.parse(stored) as string[]);
    this.drawLabel();
    need("[data-menu-button]", this.host).addEventListener("click", () => void this.load());
  }

  get ids(): string[] | undefined {
    return this.chosen === null ? undefined : [...this.chosen];
  }

  async load(): Promise<void> {
    try {
      this.bases = await api.knowledgeBases();
    } catch {
      this.list.replaceChildren(el("p", { class: "menu-label" }, t("kb.failed")));
      return;
    }
    this.forgetDeleted();
    this.draw();
  }

  /** A base that is gone would make every question fail. */
  private forgetDeleted(): void {
    if (this.chosen === null) return;
    const known = new Set(this.bases.map((base) => base.id));
    const kept = [...this.chosen].filter((id) => known.has(id));
    this.set(kept.length || this.chosen.size === 0 ? new Set(kept) : null);
  }

  private set(chosen: Set<string> | null): void {
    this.chosen = chosen;
    remember("panal-kb", chosen === null ? "" : JSON.stringify([...chosen]));
    this.drawLabel();
  }

  private drawLabel(): void {
    const n = this.chosen?.size ?? -1;
    const label = n < 0 ? t("kb.all") : n === 0 ? t("kb.none") : t("kb.some", { n });
    need("[data-picker-label]", this.host).textContent = label;
    need("[data-menu-button]", this.host).setAttribute("aria-label", label);
  }

  private draw(): void {
    if (!this.bases.length) {
      this.list.replaceChildren(el("p", { class: "menu-label" }, t("kb.empty")));
      return;
    }
    const all = this.box(t("kb.all"), this.chosen === null, (on) => this.set(on ? null : new Set()));
    const each = this.bases.map((base) =>
      this.box(base.name, this.chosen === null || this.chosen.has(base.id), (on) => this.toggle(base.id, on)),
    );
    this.list.replaceChildren(all, el("div", { class: "menu-rule" }), ...each);
  }

  private toggle(id: string, on: boolean): void {
    const chosen = new Set(this.chosen ?? this.bases.map((base) => base.id));
    if (on) chosen.add(id);
    else chosen.delete(id);
    this.set(chosen.size === this.bases.length ? null : chosen);
  }

  private box(label: string, checked: boolean, change: (on: boolean) => void): HTMLElement {
    const input = el("input", { type: "checkbox", class: "picker-box", checked });
    input.addEventListener("change", () => {
      const at = [...this.list.querySelectorAll("input")].indexOf(input);
      change(input.checked);
      this.draw();
      this.list.querySelectorAll("input")[at]?.focus();
    });
    return el("label", { class: "menu-item" }, input, el("span", { dir: "auto", class: "truncate" }, label));
  }
}
