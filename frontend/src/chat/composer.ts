/** The box at the foot of the page: grows with its text, knows its limit, sends or stops. */

import { t } from "../i18n";
import { need } from "../ui/dom";
import type { Drafts } from "./drafts";

const DRAFT_PAUSE_MS = 250;
const COUNT_FROM = 0.9; // of the limit: only then is the number worth looking at

export interface ComposerActions {
  /** False keeps the text in the box. */
  send(text: string): boolean;
  stop(): void;
  /** Arrow up in an empty box. */
  editLast(): void;
}

export class Composer {
  private readonly form = need<HTMLFormElement>("#composer");
  private readonly box = need<HTMLTextAreaElement>("#composer-text");
  private readonly sendButton = need<HTMLButtonElement>("#composer-send");
  private readonly stopButton = need<HTMLButtonElement>("#composer-stop");
  private readonly count = need("#composer-count");
  private conversation: string | null = null;
  private draftTimer: ReturnType<typeof setTimeout> | undefined;
  private busy = false;

  constructor(
    private readonly drafts: Drafts,
    private readonly limit: number,
    private readonly actions: ComposerActions,
  ) {
    this.box.addEventListener("input", () => this.onInput());
    this.box.addEventListener("keydown", (event) => this.onKey(event));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.stopButton.addEventListener("click", () => this.actions.stop());
    window.addEventListener("pagehide", () => this.saveDraft());
    window.addEventListener("resize", () => this.fit());
  }

  /** Shows the draft of another conversation. */
  open(conversation: string | null): void {
    this.saveDraft();
    this.conversation = conversation;
    this.setText(this.drafts.read(conversation));
  }

  /** The conversation got its id: its first message was accepted, so the draft of "new" is spent. */
  adopt(conversation: string): void {
    this.conversation = conversation;
    this.saveDraft();
  }

  setText(text: string): void {
    this.box.value = text;
    this.onInput();
  }

  get text(): string {
    return this.box.value;
  }

  focus(): void {
    // On a phone the keyboard would cover half of what somebody came to read.
    if (!matchMedia("(pointer: coarse)").matches) this.box.focus();
  }

  setBusy(busy: boolean): void {
    this.busy = busy;
    const hadFocus = document.activeElement === this.stopButton || document.activeElement === this.sendButton;
    this.stopButton.hidden = !busy;
    this.sendButton.hidden = busy;
    if (hadFocus) this.box.focus();
  }

  disable(): void {
    for (const control of [this.box, this.sendButton]) control.disabled = true;
  }

  private submit(): void {
    const text = this.box.value;
    if (this.busy || !text.trim() || this.over > 0) return;
    if (!this.actions.send(text)) return;
    clearTimeout(this.draftTimer);
    // The stored draft stays until the server has the message: a reload before that must not lose it.
    this.box.value = "";
    this.draw();
  }

  private get over(): number {
    return [...this.box.value].length - this.limit;
  }

  private onInput(): void {
    this.draw();
    clearTimeout(this.draftTimer);
    this.draftTimer = setTimeout(() => this.saveDraft(), DRAFT_PAUSE_MS);
  }

  private saveDraft(): void {
    clearTimeout(this.draftTimer);
    this.drafts.write(this.conversation, this.box.value);
  }

  private draw(): void {
    const length = this.box.value.length;
    const over = length > this.limit * COUNT_FROM ? this.over : -1;
    this.count.textContent =
      over > 0
        ? t("chat.too_long", { over })
        : length > this.limit * COUNT_FROM
          ? `${length.toLocaleString()} / ${this.limit.toLocaleString()}`
          : "";
    this.count.classList.toggle("is-bad", over > 0);
    this.box.setAttribute("aria-invalid", String(over > 0));
    this.sendButton.disabled = !this.box.value.trim() || over > 0;
    this.fit();
  }

  private fit(): void {
    this.box.style.blockSize = "auto";
    const most = innerHeight * 0.4;
    this.box.style.blockSize = `${Math.min(this.box.scrollHeight, most)}px`;
    this.box.style.overflowY = this.box.scrollHeight > most ? "auto" : "hidden";
  }

  private onKey(event: KeyboardEvent): void {
    // keyCode 229: Safari ends a composition before it sends the Enter that ended it.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "ArrowUp" && !this.box.value) {
      event.preventDefault();
      this.actions.editLast();
    }
  }
}
