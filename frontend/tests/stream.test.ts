import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { enhance } from "../src/chat/markdown/enhance";
import { render } from "../src/chat/markdown/parse";
import { StreamRenderer } from "../src/chat/markdown/stream";

const enhancer = { citation: () => null };
let frames: FrameRequestCallback[] = [];
let clock = 0;

function nextFrame(): void {
  clock += 120;
  const due = frames;
  frames = [];
  for (const frame of due) frame(clock);
}

beforeEach(() => {
  frames = [];
  vi.stubGlobal("requestAnimationFrame", (frame: FrameRequestCallback) => frames.push(frame));
  vi.stubGlobal("cancelAnimationFrame", () => (frames = []));
  Object.defineProperty(document, "hidden", { value: false, configurable: true });
});
afterEach(() => vi.unstubAllGlobals());

/** The page's own pieces out, so that two renderings can be compared. */
function htmlOf(root: HTMLElement): string {
  for (const code of root.querySelectorAll("pre code")) code.textContent = code.textContent; // colours come later
  return root.innerHTML.replace(/\s+/g, " ").replaceAll("> <", "><").trim();
}

function whole(text: string): string {
  const root = document.createElement("div");
  root.append(enhance(render(text), enhancer));
  return htmlOf(root);
}

function streamed(text: string, size: number): string {
  const root = document.createElement("div");
  const stream = new StreamRenderer(root, enhancer);
  for (let at = 0; at < text.length; at += size) {
    stream.push(text.slice(at, at + size));
    nextFrame();
  }
  stream.finish();
  return htmlOf(root);
}

const ANSWERS: Record<string, string> = {
  "paragraphs and headings": "# One\n\nFirst *paragraph*\nof two lines.\n\n## Two\n\nSecond **one**.\n",
  "a loose list": "1. one\n\n2. two\n\n   more\n\n3. three\n\nend",
  "nested lists": "- a\n  - b\n    - c\n- d\n\ntext\n",
  "code blocks": "Look:\n\n```python\nfor i in range(3):\n    print(i)\n\n# ``` not the end\n```\n\nDone.\n\n~~~\nplain\n```\n~~~\n",
  "code that never ends": "Look:\n\n```js\nlet a = 1;\nlet b",
  "a longer fence around a shorter": "````md\n```py\nx\n```\n````\nafter",
  "a fence in a list": "- item\n\n  ```sh\n  ls\n  ```\n- next\n",
  "a table": "| a | b |\n|---|--:|\n| 1 | 2 |\n| 3 | 4 |\n\nafter\n",
  "a reference defined at the end": "See [the docs] and [1].\n\nMore.\n\n[the docs]: https://docs.test\n",
  "a setext heading": "Title\n=====\n\ntext\n",
  quotes: "> one\n> two\n\n> three\n\nfour",
  "raw HTML": "<div>\n\n**bold**\n\n</div>\n\n<b>x</b>",
  "windows line ends": "a\r\n\r\nb\r\n\r\n```\r\nc\r\n```\r\n",
  "blank lines at the start": "\n\n\n    code\n\ntext",
  "characters beyond the first plane": "👩‍👩‍👧 **né** 日本語。\n\nعربي\n",
  nothing: "",
};

describe("a streamed answer", () => {
  for (const [name, text] of Object.entries(ANSWERS)) {
    it.each([1, 3, 7, 50])(`ends as one rendering of the whole: ${name}, %i at a time`, (size) => {
      expect(streamed(text, size)).toBe(whole(text));
    });
  }

  it.each(["paragraphs and headings", "code blocks", "a longer fence around a shorter", "a table", "quotes", "windows line ends"])(
    "had drawn it right before the end: %s",
    (name) => {
      const root = document.createElement("div");
      const stream = new StreamRenderer(root, enhancer);
      for (const letter of ANSWERS[name]!) {
        stream.push(letter);
        nextFrame();
      }
      const first = root.firstElementChild;
      stream.finish();
      expect(first?.className).not.toBe("md-tail");
      expect(root.firstElementChild).toBe(first); // a difference would have replaced it
    },
  );

  it("replaces what was drawn when the end changes an earlier block", () => {
    const root = document.createElement("div");
    const stream = new StreamRenderer(root, enhancer);
    stream.push("See [the docs].\n\nMore.\n\n");
    nextFrame();
    expect(root.querySelector("a")).toBeNull();
    stream.push("[the docs]: https://docs.test\n");
    stream.finish();
    expect(root.querySelector("a")?.getAttribute("href")).toBe("https://docs.test");
  });

  it("never touches a finished block again", () => {
    const root = document.createElement("div");
    const stream = new StreamRenderer(root, enhancer);
    stream.push("first\n\nsecond");
    nextFrame();
    const first = root.querySelector("p");
    stream.push(" and more\n\nthird\n\nfourth");
    nextFrame();
    stream.finish();
    expect(root.querySelector("p")).toBe(first);
    expect(root.querySelectorAll("p")).toHaveLength(4);
  });

  it("grows an open fence in one text node", () => {
    const root = document.createElement("div");
    const stream = new StreamRenderer(root, enhancer);
    stream.push("```py\na = 1\n");
    nextFrame();
    const node = root.querySelector("code")?.firstChild;
    stream.push("b = 2\nc = 3");
    nextFrame();
    expect(root.querySelector("code")?.firstChild).toBe(node);
    expect(node?.textContent).toBe("a = 1\nb = 2\nc = 3");
  });

  it("draws nothing while the page is hidden, and everything at the end", () => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    const root = document.createElement("div");
    const stream = new StreamRenderer(root, enhancer);
    stream.push("hello");
    nextFrame();
    expect(root.textContent).toBe("");
    stream.finish();
    expect(root.textContent?.trim()).toBe("hello");
  });

  it("closes open marks and hides half a citation meanwhile", () => {
    const root = document.createElement("div");
    const stream = new StreamRenderer(root, enhancer);
    stream.push("this is **bo");
    nextFrame();
    expect(root.querySelector("strong")?.textContent).toBe("bo");
    stream.push("ld** [1");
    nextFrame();
    expect(root.textContent?.trim()).toBe("this is bold");
  });
});

describe("enhance", () => {
  it("makes links safe and tables scroll", () => {
    const root = document.createElement("div");
    root.append(enhance(render("[a](https://a.test)\n\n| a |\n|---|\n| 1 |"), enhancer));
    expect(root.querySelector("a")?.getAttribute("rel")).toBe("noopener noreferrer nofollow");
    expect(root.querySelector("a")?.getAttribute("target")).toBe("_blank");
    expect(root.querySelector(".md-table table")).not.toBeNull();
  });

  it("leaves a citation without a source as text", () => {
    const root = document.createElement("div");
    root.append(enhance(render("yes [9]"), enhancer));
    expect(root.textContent?.trim()).toBe("yes [9]");
  });
});
