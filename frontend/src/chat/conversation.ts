/** The conversation on the page: loads it, asks in it, follows the answer, and moves between its branches. */

import { t } from "../i18n";
import { toast } from "../ui/toast";
import type { Announcer } from "./announcer";
import { api, ApiError } from "./api";
import { LiveTurn } from "./live";
import { AnswerView, UserView, type MessageActions } from "./message";
import type { Outbox } from "./outbox";
import type { KnowledgePicker, ModelPicker } from "./pickers";
import type { StickyScroll } from "./scroll";
import { Thread } from "./thread";
import { Tree } from "./tree";
import type { AskFrame, Message, TurnFrame } from "./types";
import { troubleText, type Trouble } from "./words";

export interface ConversationHost {
  readonly outbox: Outbox;
  readonly scroll: StickyScroll;
  readonly announcer: Announcer;
  readonly models: ModelPicker;
  readonly knowledge: KnowledgePicker;
  readonly canWrite: boolean;
  sendFrame(frame: object): boolean;
  onBusy(busy: boolean): void;
  onTitle(title: string): void;
  /** The server took the question; a new conversation has its id now. */
  onAccepted(conversationId: string, turnId: string): void;
  onEnded(conversationId: string): void;
  onMissing(text: string): void;
  /** A question that was taken back before it left. */
  onWithdrawn(text: string): void;
}

interface Pending {
  frame: AskFrame;
  user: UserView | null;
  askedAt: number;
  stopWanted: boolean;
}

const localMessage = (role: Message["role"], id: string, parent: string | null, text = ""): Message => ({
  id: `local:${role}:${id}`,
  parent_id: parent,
  role,
  text,
  status: "streaming",
  finish: "",
  model: "",
  pool: "",
  tier: "",
  usage: null,
  cost_usd: null,
  sources: [],
  turn_id: null,
  created_at: new Date().toISOString(),
});

/** Not crypto.randomUUID: it is missing on plain http outside localhost. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

export class ConversationPane implements MessageActions {
  private tree = new Tree();
  private leaf: string | null = null;
  private live: LiveTurn | null = null;
  private pending: Pending | null = null;
  private unsynced: LiveTurn | null = null;
  private stopOnConnect = false;
  private isClosed = false;
  private readonly thread: Thread;

  constructor(
    public id: string | null,
    private readonly host: ConversationHost,
  ) {
    this.thread = new Thread(this, host.scroll);
    this.thread.clear();
    host.onBusy(false);
  }

  get isEmpty(): boolean {
    return this.thread.isEmpty;
  }

  close(): void {
    this.isClosed = true;
    this.thread.close();
  }

  async load(): Promise<void> {
    if (this.id === null) return;
    try {
      const [conversation, messages] = await Promise.all([api.conversation(this.id), api.messages(this.id)]);
      if (this.isClosed || this.pending) return;
      this.tree = new Tree(messages);
      this.leaf = this.tree.startLeaf(conversation.active_leaf);
      this.thread.show(this.tree.path(this.leaf));
      this.host.onTitle(conversation.title);
      this.followRunning(conversation.running_turn, messages);
      this.host.scroll.toEnd();
    } catch (error) {
      if (this.isClosed) return;
      const missing = error instanceof ApiError && error.status === 404;
      this.host.onMissing(t(missing ? "chat.not_found" : "chat.load_failed"));
    }
  }

  private followRunning(turnId: string | null, messages: readonly Message[]): void {
    const answer = messages.find((message) => message.turn_id === turnId && message.role === "assistant");
    if (!turnId || !answer) {
      this.live = null;
      this.host.onBusy(false);
      return;
    }
    if (!this.thread.find(answer.id)) this.showLeaf(answer.id);
    const view = this.thread.find(answer.id);
    if (!(view instanceof AnswerView)) return;
    view.message = { ...answer, text: "", sources: [] }; // a checkpoint may be in it: the replay has it all
    this.startLive(turnId, view, null).resume();
  }

  /** After a reconnect. */
  onConnected(): void {
    this.live?.resume();
    if (this.live && this.stopOnConnect) this.stop();
    if (this.unsynced) void this.sync(this.unsynced);
  }

  /** Another tab asked or finished here. */
  onChangedElsewhere(): void {
    if (!this.live && !this.pending) void this.load();
  }

  onTurnFrame(frame: TurnFrame): void {
    if (frame.type === "accepted" && this.pending?.frame.request_id === frame.request_id) this.accept(frame);
    if (this.live?.turnId === frame.turn_id) this.live.take(frame);
  }

  /** The server knows nothing of the turn we wanted to follow: what it stored is the truth. */
  onTurnGone(): void {
    if (!this.live) return;
    this.live = null;
    void this.load();
  }

  // Asking

  ask(text: string): boolean {
    if (this.isBusy) return false;
    this.submit(text, this.leaf);
    return true;
  }

  edit(message: Message, text: string): void {
    if (this.refuseWhileBusy()) return;
    const view = this.thread.find(message.id);
    if (view) this.thread.cutFrom(view);
    this.submit(text, message.id);
  }

  regenerate(message: Message, model?: string): void {
    if (this.refuseWhileBusy() || message.parent_id === null) return;
    const view = this.thread.find(message.id);
    if (view) this.thread.cutFrom(view);
    this.launch(this.frame("", message.parent_id, model), null);
  }

  private submit(text: string, parent: string | null): void {
    const frame = this.frame(text, parent);
    const user = this.thread.append(localMessage("user", frame.request_id, parent, text)) as UserView;
    this.launch(frame, user);
    this.host.scroll.toEnd();
  }

  private frame(text: string, parent: string | null, model = this.host.models.model): AskFrame {
    const bases = this.host.knowledge.ids;
    return {
      type: "ask",
      request_id: newId(),
      conversation_id: this.id,
      text,
      model,
      ...(bases ? { knowledge_base_ids: bases } : {}),
      ...(parent ? { parent_id: parent } : {}),
    };
  }

  private launch(frame: AskFrame, user: UserView | null): void {
    this.pending = { frame, user, askedAt: performance.now(), stopWanted: false };
    this.host.onBusy(true);
    this.host.outbox.add(frame, {
      onSent: (sent) => user?.showPending(t(sent ? "chat.sending" : "chat.queued_offline")),
      onFailed: (trouble) => this.askFailed(frame, user, trouble),
    });
  }

  private askFailed(frame: AskFrame, user: UserView | null, trouble: Trouble): void {
    if (this.pending?.frame.request_id !== frame.request_id) return;
    this.pending = null;
    if (this.isClosed) return;
    this.host.onBusy(false);
    if (!user) {
      toast({ text: troubleText(trouble) });
      this.showLeaf(this.leaf);
      return;
    }
    user.showFailed(`${t("chat.not_sent")} ${troubleText(trouble)}`, () => {
      if (this.refuseWhileBusy()) return;
      // Unconfirmed may still have arrived: the same request_id asks once. Refused may succeed with another choice.
      const again = trouble.code === "timeout" ? frame : this.frame(frame.text, frame.parent_id ?? null);
      this.launch(again, user);
    });
  }

  private accept(frame: Extract<TurnFrame, { type: "accepted" }>): void {
    const { user, askedAt, stopWanted } = this.pending!;
    this.pending = null;
    user?.showAccepted();
    this.id = frame.conversation_id;
    const view = this.thread.append(localMessage("assistant", frame.turn_id, null)) as AnswerView;
    this.startLive(frame.turn_id, view, askedAt);
    this.host.onAccepted(frame.conversation_id, frame.turn_id);
    this.host.scroll.toEnd();
    if (stopWanted) this.stop();
  }

  private startLive(turnId: string, view: AnswerView, askedAt: number | null): LiveTurn {
    const live = new LiveTurn(turnId, view, askedAt, this.host.announcer, {
      resume: (turn, after) => this.host.sendFrame({ type: "resume", turn_id: turn, after }),
      onEnd: (trouble) => this.ended(live, trouble),
    });
    this.live = live;
    this.stopOnConnect = false;
    this.host.onBusy(true);
    return live;
  }

  private ended(live: LiveTurn, trouble: Trouble | null): void {
    this.live = null;
    // After an error only the server knows the answer's id; without a parent it appends to the branch it has.
    this.leaf = trouble ? null : live.view.message.id;
    if (trouble) live.view.showTrouble(trouble, () => this.regenerate(live.view.message));
    this.host.onBusy(false);
    this.host.onEnded(this.id!);
    this.host.scroll.follow();
    void this.sync(live);
  }

  /** Learns the ids the server gave, so that the new messages can be edited, regenerated and paged. */
  private async sync(live: LiveTurn): Promise<void> {
    this.unsynced = live; // a server that is restarting cannot tell now: the next connect asks again
    const messages = await api.messages(this.id!).catch(() => null);
    if (!messages || this.isClosed || this.isBusy) return;
    this.unsynced = null;
    this.tree = new Tree(messages);
    const answer = messages.find((message) => message.turn_id === live.turnId && message.role === "assistant");
    if (!answer) return;
    this.leaf = answer.id;
    this.thread.adopt(this.tree.path(answer.id));
  }

  /** Stops the answer, or takes back a question that has not left yet. */
  stop(): void {
    if (this.live) {
      this.stopOnConnect = !this.host.sendFrame({ type: "stop", turn_id: this.live.turnId });
    } else if (this.pending && this.host.outbox.withdraw(this.pending.frame.request_id)) {
      const { frame, user } = this.pending;
      this.pending = null;
      if (user) this.thread.cutFrom(user);
      else this.showLeaf(this.leaf);
      this.host.onBusy(false);
      this.host.onWithdrawn(frame.text);
    } else if (this.pending) {
      this.pending.stopWanted = true;
    }
  }

  // Branches

  branch(message: Message): { at: number; of: number } {
    const siblings = this.tree.siblings(message);
    const at = siblings.findIndex((other) => other.id === message.id);
    return at < 0 ? { at: 1, of: 1 } : { at: at + 1, of: siblings.length };
  }

  step(message: Message, by: number): void {
    if (this.refuseWhileBusy()) return;
    const siblings = this.tree.siblings(message);
    const target = siblings[siblings.findIndex((other) => other.id === message.id) + by];
    const leaf = target && this.tree.leafBelow(target.id);
    if (!leaf || !this.id) return;
    this.showLeaf(leaf);
    this.thread.find(target.id)?.element.scrollIntoView({ block: "nearest" });
    // Only a convenience for the next visit: losing it loses nothing.
    api.patch(this.id, { active_leaf: leaf }).catch(() => {});
  }

  editLast(): void {
    if (this.host.canWrite && !this.isBusy) this.thread.lastPrompt()?.startEdit();
  }

  models(): ReturnType<MessageActions["models"]> {
    return this.host.models.models;
  }

  canWrite(): boolean {
    return this.host.canWrite;
  }

  private showLeaf(leaf: string | null): void {
    this.leaf = leaf;
    this.thread.show(this.tree.path(leaf));
  }

  private get isBusy(): boolean {
    return this.live !== null || this.pending !== null;
  }

  private refuseWhileBusy(): boolean {
    if (this.isBusy) toast({ text: t("error.turn_in_progress") });
    return this.isBusy;
  }
}
