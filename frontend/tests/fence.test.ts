import { describe, expect, it } from "vitest";

import { certainLength, closingAt, openingFence, type Fence } from "../src/chat/markdown/fence";

const open = (text: string): Fence => {
  const fence = openingFence(text);
  if (!fence) throw new Error("no fence");
  return fence;
};

describe("code fences", () => {
  it("knows language and start", () => {
    expect(openingFence("```py title=x\nprint()")).toEqual({ mark: "`", length: 3, language: "py", start: 14 });
    expect(openingFence("~~~~\n")).toEqual({ mark: "~", length: 4, language: "", start: 5 });
  });

  it("is not fooled by inline code, short marks or an unfinished first line", () => {
    for (const text of ["```a``` text\n", "``\n", "```py", "text ```\n", "    ```\n"]) expect(openingFence(text)).toBeNull();
  });

  it("is closed only by its own character, at least as often", () => {
    const fence = open("````\n");
    expect(closingAt("a\n```\nb", fence)).toBe(-1);
    expect(closingAt("a\n~~~~\nb", fence)).toBe(-1);
    expect(closingAt("a\n`````  \nb", fence)).toBe(2);
    expect(closingAt("a ````\n", fence)).toBe(-1);
  });

  it("finds a closing line that began before the last look", () => {
    const fence = open("```\n");
    expect(closingAt("abc\n```", fence, 6)).toBe(4);
  });

  it("holds back what may become the closing line", () => {
    const fence = open("```\n");
    expect(certainLength("abc", fence)).toBe(3);
    expect(certainLength("abc\n``", fence)).toBe(4);
    expect(certainLength("abc\n  ", fence)).toBe(4);
    expect(certainLength("abc\n``x", fence)).toBe(7);
  });
});
