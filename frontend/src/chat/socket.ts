/**
 * The one websocket of the page. It reconnects by itself with growing, jittered pauses, says in which state it is,
 * and leaves to its owner what to send again: `onOpen` runs after every connect.
 */

import type { ServerFrame } from "./types";

export type SocketState = "connecting" | "open" | "waiting" | "offline" | "refused";

export interface SocketEvents {
  onFrame(frame: ServerFrame): void;
  onOpen(): void;
  onState(state: SocketState): void;
  /** Every close that we did not ask for; codes from 4400 on are the server's own. */
  onClose(code: number): void;
}

const PING_MS = 25_000;
const SILENCE_MS = 60_000; // two pings without any answer: the line is dead though nobody closed it
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 20_000;
const REFUSED = new Set([4401, 4403]);

/** Doubling pauses with full jitter above a floor, so that a restart is not met by all tabs at once. */
export function pauseMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}

export class ChatSocket {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private pingTimer: ReturnType<typeof setInterval> | undefined;
  private lastHeard = 0;
  private drainPauseMs: number | null = null;
  state: SocketState = "connecting";

  constructor(
    private readonly url: string,
    private readonly events: SocketEvents,
  ) {
    window.addEventListener("online", () => this.reconnectNow());
    window.addEventListener("offline", () => this.onOffline());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.wakeUp();
    });
  }

  connect(): void {
    clearTimeout(this.retryTimer);
    this.socket = new WebSocket(this.url);
    this.socket.onopen = () => this.onOpen();
    this.socket.onmessage = (event) => this.onMessage(String(event.data));
    this.socket.onclose = (event) => this.onClose(event.code);
  }

  get isOpen(): boolean {
    return this.state === "open" && this.socket?.readyState === WebSocket.OPEN;
  }

  /** False when there is no connection: nothing is queued here. */
  send(frame: object): boolean {
    if (!this.isOpen) return false;
    this.socket!.send(JSON.stringify(frame));
    return true;
  }

  /** Tries at once instead of at the end of the pause. */
  reconnectNow(): void {
    if (this.isOpen || this.state === "refused") return;
    this.abandon();
    this.setState("connecting");
    this.connect();
  }

  /** No further tries: the server does not know this person any more. */
  refuse(): void {
    this.abandon();
    this.setState("refused");
  }

  private onOpen(): void {
    this.attempt = 0;
    this.lastHeard = Date.now();
    this.setState("open");
    this.pingTimer = setInterval(() => this.ping(), PING_MS);
    this.events.onOpen();
  }

  private onMessage(data: string): void {
    this.lastHeard = Date.now();
    const frame = JSON.parse(data) as ServerFrame;
    if (frame.type === "draining") this.drainPauseMs = frame.retry_in;
    else if (frame.type !== "pong") this.events.onFrame(frame);
  }

  private ping(): void {
    if (Date.now() - this.lastHeard > SILENCE_MS) this.dropAndRetry();
    else this.send({ type: "ping" });
  }

  /** A laptop that slept may hold a socket the server closed long ago. */
  private wakeUp(): void {
    if (!this.isOpen) this.reconnectNow();
    else if (Date.now() - this.lastHeard > SILENCE_MS) this.dropAndRetry();
  }

  private dropAndRetry(): void {
    this.abandon();
    this.retryLater();
  }

  private onClose(code: number): void {
    this.abandon();
    if (REFUSED.has(code)) this.setState("refused");
    else this.retryLater();
    this.events.onClose(code);
  }

  private onOffline(): void {
    this.abandon();
    this.retryLater();
  }

  private retryLater(): void {
    const quiet = this.drainPauseMs;
    this.drainPauseMs = null;
    const pause = quiet ?? pauseMs(this.attempt++);
    // A restart announced beforehand is not worth a word, unless the next try fails too.
    if (navigator.onLine === false) this.setState("offline");
    else this.setState(quiet === null ? "waiting" : "connecting");
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.connect(), pause);
  }

  private abandon(): void {
    clearInterval(this.pingTimer);
    clearTimeout(this.retryTimer);
    const old = this.socket;
    this.socket = null;
    if (!old) return;
    old.onopen = old.onmessage = old.onclose = null;
    old.close();
  }

  private setState(state: SocketState): void {
    if (state === this.state) return;
    this.state = state;
    this.events.onState(state);
  }
}
