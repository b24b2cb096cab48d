/** The messages on the page: one path through the tree, the newest part of it first, older parts on demand. */

import { t } from "../i18n";
import { el, need } from "../ui/dom";
import { AnswerView, UserView, type MessageActions } from "./message";
import type { StickyScroll } from "./scroll";
import type { Message } from "./types";

export type View = UserView | AnswerView;

const PAGE = 30; // messages drawn at a time
const LIVELY = 8; // at the end, never skipped by the browser's rendering

export class Thread {
  private readonly list = need("#messages");
  private readonly top = need("#messages-top");
  private views: View[] = [];
  /** Messages of the path above the first one drawn. */
  private above: Message[] = [];
  private readonly watch = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) this.drawEarlier();
  });

  constructor(
    private readonly actions: MessageActions,
    private readonly scroll: StickyScroll,
  ) {
    this.watch.observe(this.top);
    const button = el("button", { type: "button", class: "btn btn-ghost btn-sm" }, t("chat.earlier"));
    button.addEventListener("click", () => this.drawEarlier());
    this.top.replaceChildren(button);
    this.top.hidden = true;
  }

  close(): void {
    this.watch.disconnect();
  }

  clear(): void {
    this.list.replaceChildren();
    this.views = [];
    this.above = [];
    this.top.hidden = true;
  }

  show(path: readonly Message[]): void {
    this.clear();
    this.above = path.slice(0, -PAGE);
    for (const message of path.slice(-PAGE)) {
      const view = this.append(message);
      if (view instanceof AnswerView) view.showStored();
    }
    this.top.hidden = this.above.length === 0;
  }

  append(message: Message): View {
    const view = this.viewOf(message);
    this.views.push(view);
    this.list.append(view.element);
    this.views.at(-LIVELY - 1)?.element.classList.add("is-old");
    return view;
  }

  /** Removes `view` and what follows it. */
  cutFrom(view: View): void {
    const at = this.views.indexOf(view);
    if (at < 0) return;
    for (const gone of this.views.splice(at)) gone.element.remove();
  }

  find(id: string): View | undefined {
    return this.views.find((view) => view.message.id === id);
  }

  get isEmpty(): boolean {
    return this.views.length === 0;
  }

  lastPrompt(): UserView | undefined {
    return this.views.findLast((view): view is UserView => view instanceof UserView);
  }

  /** Gives the views what the server knows by now. The end of the page shows the end of `path`. */
  adopt(path: readonly Message[]): void {
    for (let back = 1; back <= Math.min(this.views.length, path.length); back++) {
      const [view, known] = [this.views.at(-back)!, path.at(-back)!];
      if ((view instanceof UserView) !== (known.role === "user")) return;
      view.message = known;
    }
    for (const view of this.views) {
      if (view instanceof AnswerView) view.refresh();
      else if (!view.message.id.startsWith("local:")) view.showSettled();
    }
  }

  private viewOf(message: Message): View {
    if (message.role === "user") {
      const view = new UserView(message, this.actions);
      if (!message.id.startsWith("local:")) view.showSettled();
      return view;
    }
    return new AnswerView(message, this.actions, () => this.scroll.follow());
  }

  private drawEarlier(): void {
    if (!this.above.length) return;
    const page = this.above.splice(-PAGE);
    this.top.hidden = this.above.length === 0;
    const views = page.map((message) => this.viewOf(message));
    for (const view of views) {
      if (view instanceof AnswerView) view.showStored();
      view.element.classList.add("is-old");
    }
    this.views.unshift(...views);
    this.scroll.keepPlace(() => this.list.prepend(...views.map((view) => view.element)));
  }
}
