/** Which frames of a turn were seen. Frames rise by one; a replay after a reconnect may repeat or overtake some. */

export type Verdict = "new" | "seen" | "gap";

export class SeqTracker {
  last: number;

  constructor(after = 0) {
    this.last = after;
  }

  /** "new" advances; after a "gap" the caller resumes from `last`. */
  take(seq: number): Verdict {
    if (seq <= this.last) return "seen";
    if (seq > this.last + 1) return "gap";
    this.last = seq;
    return "new";
  }
}
