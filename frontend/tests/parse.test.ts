import { describe, expect, it } from "vitest";

import { render } from "../src/chat/markdown/parse";

describe("what an answer may contain", () => {
  it("renders the usual marks", () => {
    expect(render("**bold** and `code`")).toBe("<p><strong>bold</strong> and <code>code</code></p>\n");
  });

  it("shows raw HTML as text", () => {
    expect(render("a <script>alert(1)</script> b")).toContain("&lt;script&gt;");
    expect(render("<img src=x onerror=alert(1)>")).not.toContain("<img");
    expect(render('<button class="cite">1</button>')).not.toContain("<button");
  });

  it("turns images into links, so that nobody learns who reads", () => {
    expect(render("![chart](https://evil.test/x.png?leak=1)")).toBe(
      '<p><a href="https://evil.test/x.png?leak=1">chart</a></p>\n',
    );
  });

  it.each(["javascript:alert(1)", "data:text/html,x", "vbscript:x", "//evil.test", "JaVaScRiPt:alert(1)"])(
    "gives no address to %s",
    (address) => {
      expect(render(`[here](${address})`)).not.toContain("href");
    },
  );

  it.each(["https://a.test", "mailto:a@b.test", "/console/", "#part"])("keeps the address %s", (address) => {
    expect(render(`[here](${address})`)).toContain(`href="${address}"`);
  });

  it("marks citations, but not links and definitions that look like them", () => {
    expect(render("Yes. [2]")).toContain('<cite data-n="2">[2]</cite>');
    expect(render("[2](https://a.test)")).not.toContain("<cite");
    expect(render("see [2][x]\n\n[x]: https://a.test")).not.toContain("<cite");
    expect(render("`a[2]`")).not.toContain("<cite");
    expect(render("[12a]")).not.toContain("<cite");
  });

  it("keeps the numbers of lists and the alignment of tables", () => {
    expect(render("3. a\n4. b")).toContain('start="3"');
    expect(render("| a |\n|--:|\n| 1 |")).toContain('align="right"');
  });
});
