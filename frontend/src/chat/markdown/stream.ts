/**
 * Block commit: a finished block is parsed, cleaned and highlighted once and never touched again; only the last,
 * open block is drawn anew, at most once a frame. An open code fence grows by appending to one text node.
 */

import type { Token } from "marked";
import remend from "remend";

import { codeBlock, enhance, type Enhancer } from "./enhance";
import { certainLength, closingAt, type Fence, openingFence } from "./fence";
import { lex, render, renderTokens } from "./parse";

const LONG_TAIL = 4000; // characters
const LONG_TAIL_PAUSE_MS = 100;
/** Drawing takes at most a fifth of the time: on a slow phone it becomes rarer, not everything else slower. */
const REST_FACTOR = 4;
const LONGEST_PAUSE_MS = 400;

interface OpenFence {
  fence: Fence;
  text: Text;
  /** How much of the code is on the page. */
  shown: number;
}

export class StreamRenderer {
  private text = "";
  private done = 0;
  private committed = "";
  private tail: HTMLElement | null = null;
  private open: OpenFence | null = null;
  private frame = 0;
  private paintedAt = 0;
  private paintMs = 0;
  private finished = false;

  constructor(
    private readonly root: HTMLElement,
    private readonly enhancer: Enhancer,
    private readonly onPaint: () => void = () => {},
  ) {
    root.replaceChildren();
  }

  push(text: string): void {
    this.text += text.replaceAll("\r", "");
    this.schedule();
  }

  /** Draws what is left and compares with one rendering of the whole: late definitions can change earlier blocks. */
  finish(): void {
    this.finished = true;
    cancelAnimationFrame(this.frame);
    const rest = this.text.slice(this.done);
    this.dropTail();
    const restHtml = render(rest);
    const whole = render(this.text);
    if (normal(this.committed + restHtml) === normal(whole)) this.append(restHtml);
    else this.root.replaceChildren(enhance(whole, this.enhancer));
    this.onPaint();
  }

  private schedule(): void {
    if (this.frame || this.finished) return;
    this.frame = requestAnimationFrame((now) => {
      this.frame = 0;
      if (document.hidden || this.isTooSoon(now)) this.schedule();
      else this.paint(now);
    });
  }

  private isTooSoon(now: number): boolean {
    const isLong = !this.open && this.text.length - this.done > LONG_TAIL;
    const pause = Math.max(isLong ? LONG_TAIL_PAUSE_MS : 0, Math.min(this.paintMs * REST_FACTOR, LONGEST_PAUSE_MS));
    return now - this.paintedAt < pause;
  }

  private paint(now: number): void {
    this.paintedAt = now;
    const start = performance.now();
    if (!this.open || !this.growFence(this.open)) this.commitBlocks();
    this.onPaint();
    this.paintMs = performance.now() - start;
  }

  /** True while the fence stays open. */
  private growFence(open: OpenFence): boolean {
    const code = this.text.slice(this.done + open.fence.start);
    if (closingAt(code, open.fence, open.shown) >= 0) {
      this.dropTail();
      return false;
    }
    const certain = certainLength(code, open.fence);
    if (certain > open.shown) open.text.appendData(code.slice(open.shown, certain));
    open.shown = Math.max(open.shown, certain);
    return true;
  }

  private commitBlocks(): void {
    const rest = this.text.slice(this.done);
    const final = finalTokens(lex(rest));
    const raw = final.map((token) => token.raw).join("");
    this.dropTail();
    if (raw && rest.startsWith(raw)) {
      this.append(this.keep(renderTokens(final)));
      this.done += raw.length;
    }
    this.drawTail(this.text.slice(this.done));
  }

  private keep(html: string): string {
    this.committed += html;
    return html;
  }

  private drawTail(rest: string): void {
    if (!rest.trim()) return;
    const indent = rest.length - rest.replace(/^\n+/, "").length;
    this.done += indent;
    const block = rest.slice(indent);
    const fence = openingFence(block);
    if (fence && closingAt(block.slice(fence.start), fence) < 0) this.drawOpenFence(block, fence);
    else this.setTail(enhance(render(completed(block)), this.enhancer));
  }

  private drawOpenFence(block: string, fence: Fence): void {
    const code = block.slice(fence.start);
    const shown = certainLength(code, fence);
    const { element, text } = codeBlock(code.slice(0, shown), fence.language);
    this.open = { fence, text, shown };
    this.setTail(element);
  }

  private setTail(content: Node): void {
    this.tail = document.createElement("div");
    this.tail.className = "md-tail";
    this.tail.append(content);
    this.root.append(this.tail);
  }

  private dropTail(): void {
    this.tail?.remove();
    this.tail = null;
    this.open = null;
  }

  private append(html: string): void {
    this.root.append(enhance(html, this.enhancer));
  }
}

/** All blocks but the last, which may still grow; a fence that was closed may not. */
function finalTokens(tokens: Token[]): Token[] {
  const last = tokens.findLastIndex((token) => token.type !== "space");
  const open = tokens[last];
  const isClosed = open && isClosedFence(open.raw) && (last < tokens.length - 1 || open.raw.endsWith("\n"));
  return tokens.slice(0, isClosed ? last + 1 : Math.max(last, 0));
}

function isClosedFence(raw: string): boolean {
  const fence = openingFence(raw);
  return fence !== null && closingAt(raw.slice(fence.start), fence) >= 0;
}

/** The open block with its marks closed; half a citation stays hidden until it is whole. */
function completed(block: string): string {
  return remend(block.replace(/\[\d{0,3}$/, ""), { linkMode: "text-only" });
}

const normal = (html: string): string => html.replace(/\s+/g, " ").replaceAll("> <", "><").trim();
