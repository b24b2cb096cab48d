import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Outbox } from "../src/chat/outbox";
import { ChatSocket, pauseMs, type SocketState } from "../src/chat/socket";
import type { AskFrame, ServerFrame } from "../src/chat/types";

const ask = (id: string): AskFrame => ({ type: "ask", request_id: id, conversation_id: null, text: "hi" });

class FakeSocket {
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  readyState = 0;
  sent: unknown[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.readyState = 3;
  }
  opens(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  says(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  dies(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

const last = (): FakeSocket => FakeSocket.made.at(-1)!;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.made = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function connected(): { socket: ChatSocket; states: SocketState[]; frames: ServerFrame[]; closes: number[]; opened: () => number } {
  const states: SocketState[] = [];
  const frames: ServerFrame[] = [];
  const closes: number[] = [];
  let opens = 0;
  const socket = new ChatSocket("ws://x/ws/chat/", {
    onFrame: (frame) => frames.push(frame),
    onOpen: () => (opens += 1),
    onState: (state) => states.push(state),
    onClose: (code) => closes.push(code),
  });
  socket.connect();
  last().opens();
  return { socket, states, frames, closes, opened: () => opens };
}

describe("pauses", () => {
  it("double, with jitter, up to a limit", () => {
    expect([0, 1, 2].map((n) => pauseMs(n, () => 1))).toEqual([400, 800, 1600]);
    expect(pauseMs(3, () => 0)).toBe(1600);
    expect(pauseMs(50, () => 1)).toBe(20_000);
  });
});

describe("the socket", () => {
  it("comes back after a break and says so", () => {
    const { socket, states, opened } = connected();
    last().dies();
    expect(socket.isOpen).toBe(false);
    vi.advanceTimersByTime(500);
    last().opens();
    expect(states).toEqual(["open", "waiting", "open"]);
    expect(opened()).toBe(2);
  });

  it("waits longer with every failure", () => {
    connected();
    const count = (ms: number): number => {
      const before = FakeSocket.made.length;
      vi.advanceTimersByTime(ms);
      return FakeSocket.made.length - before;
    };
    last().dies();
    expect(count(400)).toBe(1);
    for (let n = 0; n < 6; n++) {
      last().dies();
      vi.advanceTimersByTime(20_000);
    }
    last().dies();
    expect(count(9_000)).toBe(0);
    expect(count(11_000)).toBe(1);
  });

  it("takes an announced restart quietly, after the pause the server named", () => {
    const { states } = connected();
    last().says({ type: "draining", retry_in: 1500 });
    last().dies(1012);
    vi.advanceTimersByTime(1400);
    expect(FakeSocket.made).toHaveLength(1);
    vi.advanceTimersByTime(100);
    last().opens();
    expect(states).toEqual(["open", "connecting", "open"]);
  });

  it.each([4401, 4403])("stops trying when refused with %i", (code) => {
    const { socket, states, closes } = connected();
    last().dies(code);
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.made).toHaveLength(1);
    expect(states.at(-1)).toBe("refused");
    expect(closes).toEqual([code]);
    socket.reconnectNow();
    expect(FakeSocket.made).toHaveLength(1);
  });

  it("pings, and replaces a line that has gone silent", () => {
    const { frames } = connected();
    vi.advanceTimersByTime(25_000);
    expect(last().sent).toEqual([{ type: "ping" }]);
    last().says({ type: "pong" });
    expect(frames).toEqual([]);
    vi.advanceTimersByTime(76_000);
    expect(FakeSocket.made.length).toBeGreaterThan(1);
  });

  it("hears nothing more from a connection it gave up", () => {
    const { frames } = connected();
    const old = last();
    old.dies();
    vi.advanceTimersByTime(500);
    old.says({ type: "title", conversation_id: "c", title: "t" });
    expect(frames).toEqual([]);
  });

  it("says no while there is no connection", () => {
    const { socket } = connected();
    last().dies();
    expect(socket.send({ type: "ping" })).toBe(false);
  });
});

describe("the outbox", () => {
  const events = () => ({ onSent: vi.fn(), onFailed: vi.fn() });

  it("sends again after a connect, until the question is confirmed", () => {
    let open = false;
    const sent: unknown[] = [];
    const outbox = new Outbox((frame) => open && sent.push(frame) > 0);
    const heard = events();
    outbox.add(ask("r1"), heard);
    expect(heard.onSent).toHaveBeenLastCalledWith(false);
    open = true;
    outbox.flush();
    outbox.flush();
    expect(sent).toEqual([ask("r1"), ask("r1")]);
    expect(outbox.confirm("r1")).toBe(true);
    outbox.flush();
    expect(sent).toHaveLength(2);
    expect(outbox.confirm("r1")).toBe(false);
  });

  it("fails a question nobody confirms, but not while the line is down", () => {
    const outbox = new Outbox(() => true);
    const heard = events();
    outbox.add(ask("r1"), heard);
    outbox.pause();
    vi.advanceTimersByTime(60_000);
    expect(heard.onFailed).not.toHaveBeenCalled();
    outbox.flush();
    vi.advanceTimersByTime(20_000);
    expect(heard.onFailed).toHaveBeenCalledWith({ code: "timeout", detail: "" });
  });

  it("rejects the question the server names, or the only one it can mean", () => {
    const outbox = new Outbox(() => true);
    const [one, two] = [events(), events()];
    outbox.add(ask("r1"), one);
    outbox.add(ask("r2"), two);
    outbox.reject({ code: "x", detail: "" });
    expect([one.onFailed.mock.calls.length, two.onFailed.mock.calls.length]).toEqual([0, 0]);
    outbox.reject({ code: "x", detail: "" }, "r1");
    outbox.reject({ code: "y", detail: "" });
    expect([one.onFailed.mock.calls.length, two.onFailed.mock.calls.length]).toEqual([1, 1]);
  });

  it("takes back only what never left", () => {
    let open = false;
    const outbox = new Outbox(() => open);
    outbox.add(ask("r1"), events());
    expect(outbox.withdraw("r1")).toBe(true);
    open = true;
    outbox.add(ask("r2"), events());
    expect(outbox.withdraw("r2")).toBe(false);
  });
});
