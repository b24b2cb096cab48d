/** One answer being written, as this page sees it: frames in, each once and in order, the view kept up to date. */

import { t } from "../i18n";
import type { Announcer } from "./announcer";
import type { AnswerView } from "./message";
import { SeqTracker } from "./turns";
import type { TurnFrame } from "./types";
import { stageText, type Trouble } from "./words";

export interface LiveEvents {
  resume(turnId: string, after: number): void;
  /** `trouble` when it ended with an error. */
  onEnd(trouble: Trouble | null): void;
}

export class LiveTurn {
  private readonly seq = new SeqTracker();
  private isResuming = false;
  private hasText = false;

  /** `askedAt`: performance.now() of the question, or null when another page asked it. */
  constructor(
    readonly turnId: string,
    readonly view: AnswerView,
    private readonly askedAt: number | null,
    private readonly announcer: Announcer,
    private readonly events: LiveEvents,
  ) {
    view.startStream("");
  }

  /** Asks for everything after what is already here. */
  resume(): void {
    this.isResuming = true;
    this.events.resume(this.turnId, this.seq.last);
  }

  take(frame: TurnFrame): void {
    const verdict = this.seq.take(frame.seq);
    if (verdict === "gap" && !this.isResuming) this.resume();
    if (verdict !== "new") return;
    this.isResuming = false;
    this.apply(frame);
  }

  private apply(frame: TurnFrame): void {
    if (frame.type === "status") this.view.showStatus(stageText(frame.stage, frame.position, frame.eta_s));
    else if (frame.type === "sources") this.view.setSources(frame.sources);
    else if (frame.type === "delta") this.addText(frame.text);
    else if (frame.type === "done") this.finish(frame);
    else if (frame.type === "error") this.fail(frame);
  }

  private addText(text: string): void {
    if (!this.hasText) this.announcer.say(t("chat.answer_started"));
    this.hasText = true;
    this.view.showStatus(null);
    this.view.add(text);
    this.announcer.add(text);
  }

  private finish({ message_id, finish, usage, model, pool, tier, cost_usd }: Extract<TurnFrame, { type: "done" }>): void {
    Object.assign(this.view.message, { id: message_id, finish, usage, model, pool, tier, cost_usd, status: "complete" });
    this.view.endStream(this.askedAt === null ? null : performance.now() - this.askedAt);
    this.announcer.finish(t("chat.answer_done"));
    this.events.onEnd(null);
  }

  private fail(trouble: Trouble): void {
    this.view.message.status = "failed";
    this.view.endStream(null);
    this.announcer.finish("");
    this.events.onEnd(trouble);
  }
}
