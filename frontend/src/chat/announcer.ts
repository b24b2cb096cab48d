/** Speaks an answer to screen readers sentence by sentence: a live region per token would never stop talking. */

const SENTENCE_END = /[.!?…](?=\s)|[。！？]|\n/g;
const MIN_CHARACTERS = 40;

/** Splits at the last sentence end; what comes after it waits. */
export function splitSentences(text: string): { ready: string; rest: string } {
  let end = 0;
  for (const match of text.matchAll(SENTENCE_END)) end = match.index + match[0].length;
  return { ready: text.slice(0, end), rest: text.slice(end) };
}

/** Markdown marks are for the eye. */
export function speakable(text: string): string {
  return text
    .replace(/^\s*(```|~~~).*$/gm, "")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\[\d+\]/g, "")
    .replace(/^\s*(#{1,6}|[-*+]|>|\|)\s*/gm, "")
    .replace(/[*_`|]/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

export class Announcer {
  private waiting = "";

  constructor(private readonly region: HTMLElement) {}

  add(text: string): void {
    this.waiting += text;
    if (this.waiting.length < MIN_CHARACTERS) return;
    const { ready, rest } = splitSentences(this.waiting);
    if (!ready) return;
    this.waiting = rest;
    this.say(speakable(ready));
  }

  /** The rest of the answer, and that it is over. */
  finish(closing: string): void {
    this.say(`${speakable(this.waiting)} ${closing}`.trim());
    this.waiting = "";
  }

  say(text: string): void {
    if (!text) return;
    const line = document.createElement("p");
    line.textContent = text;
    this.region.append(line);
    while (this.region.childElementCount > 4) this.region.firstElementChild?.remove();
  }
}
