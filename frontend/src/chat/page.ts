/** Wires the parts of the chat page together. */

import { t } from "../i18n";
import { el, icon, need, pageData } from "../ui/dom";
import { closeDrawer } from "../ui/drawer";
import { Announcer } from "./announcer";
import { api, ApiError } from "./api";
import { Composer } from "./composer";
import { ConversationPane, type ConversationHost } from "./conversation";
import { Drafts } from "./drafts";
import { LinkBanner } from "./link";
import { Outbox } from "./outbox";
import { KnowledgePicker, ModelPicker } from "./pickers";
import { StickyScroll } from "./scroll";
import { Sidebar } from "./sidebar";
import { ChatSocket } from "./socket";
import { isTurnFrame, type ChatConfig, type LooseFrame, type ServerFrame, type TurnFrame } from "./types";

const FAILURES_BEFORE_PROBE = 3;
const SIGNED_OUT = new Set([401, 403]);

const RESTART_PAUSE_S = 1;
const socketUrl = (path: string): string => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
const idOfPath = (): string | null => /\/chat\/([0-9a-f-]{36})\//.exec(location.pathname)?.[1] ?? null;

export class ChatPage implements ConversationHost {
  private readonly config = pageData<ChatConfig>("chat-config");
  readonly canWrite = this.config.can_ask;
  readonly models = new ModelPicker();
  readonly knowledge = new KnowledgePicker();
  readonly announcer = new Announcer(need("#announcer"));
  readonly scroll = new StickyScroll(need("#thread"), need("#to-latest"));
  readonly outbox = new Outbox((frame) => this.sendFrame(frame));
  private readonly socket = new ChatSocket(socketUrl(this.config.socket_path), {
    onFrame: (frame) => this.onFrame(frame),
    onOpen: () => this.onOpen(),
    onState: (state) => this.banner.show(state),
    onClose: (code) => void this.onClose(code),
  });
  private readonly banner = new LinkBanner(() => this.socket.reconnectNow());
  private readonly sidebar = new Sidebar({
    open: (id) => this.go(id),
    removed: (id) => id === this.pane.id && this.go(null),
    renamed: (id, title) => id === this.pane.id && this.onTitle(title),
  });
  private readonly composer = new Composer(new Drafts(this.config.user.email), this.config.max_characters, {
    send: (text) => this.ask(text),
    stop: () => this.pane.stop(),
    editLast: () => this.pane.editLast(),
  });
  private pane: ConversationPane;
  private failures = 0;

  constructor() {
    this.pane = new ConversationPane(this.config.conversation_id, this);
    this.drawEmptyState();
    this.listen();
    if (!this.canWrite) this.composer.disable();
  }

  start(): void {
    this.socket.connect();
    this.show(this.pane);
    void this.sidebar.load();
    void this.models.load();
    void this.knowledge.load();
  }

  // What the conversation tells

  sendFrame(frame: object): boolean {
    return this.socket.send(frame);
  }

  onBusy(busy: boolean): void {
    this.composer.setBusy(busy);
  }

  onTitle(title: string): void {
    const shown = title || t("list.untitled");
    need("#chat-title").textContent = shown;
    document.title = `${shown} · Panal`;
  }

  onAccepted(id: string, turnId: string): void {
    if (idOfPath() !== id) history.replaceState(null, "", `/chat/${id}/`);
    this.composer.adopt(id);
    this.sidebar.setCurrent(id);
    this.sidebar.setRunning(id, turnId);
    void this.refreshTitle(id);
  }

  onEnded(id: string): void {
    this.sidebar.setRunning(id, null);
  }

  onWithdrawn(text: string): void {
    this.composer.setText(text);
    this.drawEmptiness();
  }

  onMissing(text: string): void {
    need("#messages").replaceChildren(
      el("div", { class: "notice notice-warn" }, icon("warning"), el("p", {}, text)),
    );
  }

  private async refreshTitle(id: string): Promise<void> {
    await this.sidebar.load();
    if (this.pane.id !== id) return;
    const conversation = await api.conversation(id).catch(() => null);
    if (conversation && this.pane.id === id) this.onTitle(conversation.title);
  }

  // Navigation

  private go(id: string | null, push = true): void {
    closeDrawer();
    if (push) history.pushState(null, "", id ? `/chat/${id}/` : "/chat/");
    this.pane.close();
    this.pane = new ConversationPane(id, this);
    this.show(this.pane);
    this.composer.focus();
  }

  private show(pane: ConversationPane): void {
    this.composer.open(pane.id);
    this.sidebar.setCurrent(pane.id);
    this.onTitle("");
    this.drawEmptiness();
    void pane.load();
  }

  private ask(text: string): boolean {
    const taken = this.pane.ask(text);
    this.drawEmptiness();
    return taken;
  }

  // The socket

  private onOpen(): void {
    if (this.failures) void this.sidebar.load();
    this.failures = 0;
    this.outbox.flush();
    this.pane.onConnected();
  }

  private onFrame(frame: ServerFrame): void {
    if (isTurnFrame(frame)) this.onTurnFrame(frame);
    else if (frame.type === "error") this.onTrouble(frame);
    else if (frame.type === "turn") this.onTurnElsewhere(frame.conversation_id, frame.turn_id);
    else if (frame.type === "title") this.onNewTitle(frame.conversation_id, frame.title);
  }

  private onTurnFrame(frame: TurnFrame): void {
    if (frame.type === "accepted") this.outbox.confirm(frame.request_id);
    this.pane.onTurnFrame(frame);
    if (frame.type === "done" || frame.type === "error") void this.sidebar.load();
  }

  private onTrouble(frame: Extract<LooseFrame, { type: "error" }>): void {
    // A server that is leaving takes no questions: the next one gets them, on this socket or after the reconnect.
    if (frame.code === "draining") setTimeout(() => this.outbox.flush(), (frame.retry_after ?? RESTART_PAUSE_S) * 1000);
    else this.outbox.reject(frame, frame.request_id);
  }

  /** The notice also comes for our own questions; the pane knows which those are. */
  private onTurnElsewhere(id: string, turnId: string): void {
    if (id === this.pane.id) this.pane.onChangedElsewhere();
    this.sidebar.setRunning(id, turnId);
    void this.sidebar.load();
  }

  private onNewTitle(id: string, title: string): void {
    if (id === this.pane.id) this.onTitle(title);
    void this.sidebar.load();
  }

  private async onClose(code: number): Promise<void> {
    this.outbox.pause();
    if (code === 4413) this.outbox.reject({ code: "frame_too_large", detail: "" });
    if (code === 4404) this.pane.onTurnGone();
    this.failures += 1;
    // A handshake that is refused looks like a broken network: ask once over HTTP whether we are signed out.
    if (this.failures !== FAILURES_BEFORE_PROBE) return;
    const error: unknown = await api.conversations("").catch((reason: unknown) => reason);
    if (error instanceof ApiError && SIGNED_OUT.has(error.status)) this.socket.refuse();
  }

  // The page's own events

  private listen(): void {
    window.addEventListener("popstate", () => this.go(idOfPath(), false));
    document.addEventListener("keydown", (event) => this.onKey(event));
    for (const link of document.querySelectorAll("[data-new-chat]")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.go(null);
      });
    }
  }

  private onKey(event: KeyboardEvent): void {
    const command = event.ctrlKey || event.metaKey;
    if (command && event.shiftKey && event.key.toLowerCase() === "o") {
      event.preventDefault();
      this.go(null);
    } else if (command && event.key === "/") {
      event.preventDefault();
      need<HTMLDialogElement>("#shortcuts").showModal();
    } else if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) {
      this.pane.stop();
    }
  }

  private drawEmptiness(): void {
    const isNew = this.pane.id === null && this.pane.isEmpty;
    need("#empty").hidden = !isNew;
    need("#messages").hidden = isNew;
  }

  private drawEmptyState(): void {
    const name = this.config.user.name.split(" ")[0] ?? "";
    need("#empty-title").textContent = name ? t("chat.greeting", { name }) : t("chat.greeting_plain");
    need("#empty-hint").textContent = t(this.canWrite ? "chat.greeting_hint" : "chat.reading_only");
    for (const button of document.querySelectorAll<HTMLElement>("[data-suggestion]")) {
      button.addEventListener("click", () => this.ask(button.innerText.trim()));
    }
  }
}
