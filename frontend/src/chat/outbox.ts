/**
 * Questions the server has not confirmed. Each carries its own `request_id`, and repeating one starts nothing new:
 * so after every connect all of them are simply sent again.
 */

import type { AskFrame } from "./types";
import type { Trouble } from "./words";

const CONFIRM_MS = 20_000;

export interface AskEvents {
  /** `sent` false: there is no connection, it waits. */
  onSent(sent: boolean): void;
  onFailed(trouble: Trouble): void;
}

interface Entry {
  frame: AskFrame;
  events: AskEvents;
  sent: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Outbox {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly send: (frame: object) => boolean) {}

  add(frame: AskFrame, events: AskEvents): void {
    const entry: Entry = { frame, events, sent: false, timer: undefined };
    this.entries.set(frame.request_id, entry);
    this.trySend(entry);
  }

  /** After a connect. */
  flush(): void {
    for (const entry of this.entries.values()) this.trySend(entry);
  }

  /** After a lost connection: nobody confirms, and nobody is late. */
  pause(): void {
    for (const entry of this.entries.values()) clearTimeout(entry.timer);
  }

  /** True when the question was still open. */
  confirm(requestId: string): boolean {
    return this.take(requestId) !== undefined;
  }

  /** Takes back a question that never left. */
  withdraw(requestId: string): boolean {
    if (this.entries.get(requestId)?.sent !== false) return false;
    return this.confirm(requestId);
  }

  /** The server refused: the question it names, or else the only one it can mean. */
  reject(trouble: Trouble, requestId?: string): void {
    const sent = [...this.entries.values()].filter((entry) => entry.sent);
    const id = requestId ?? (sent.length === 1 ? sent[0]?.frame.request_id : undefined);
    if (id) this.take(id)?.events.onFailed(trouble);
  }

  private trySend(entry: Entry): void {
    clearTimeout(entry.timer);
    const sent = this.send(entry.frame);
    entry.sent ||= sent;
    if (sent) entry.timer = setTimeout(() => this.reject({ code: "timeout", detail: "" }, entry.frame.request_id), CONFIRM_MS);
    entry.events.onSent(sent);
  }

  private take(requestId: string): Entry | undefined {
    const entry = this.entries.get(requestId);
    clearTimeout(entry?.timer);
    this.entries.delete(requestId);
    return entry;
  }
}
