import { beforeEach, describe, expect, it } from "vitest";

import { Announcer, speakable, splitSentences } from "../src/chat/announcer";
import { ownPath } from "../src/chat/api";
import { groupByDay } from "../src/chat/days";
import { Drafts } from "../src/chat/drafts";
import { citedSources } from "../src/chat/message";
import { SeqTracker } from "../src/chat/turns";
import type { ConversationItem, Message } from "../src/chat/types";
import { finishNotice, metaText, moneyText, stageText, troubleText } from "../src/chat/words";
import { t } from "../src/i18n";
import { themeName } from "../src/ui/theme";

describe("frames of a turn", () => {
  it("takes each once and in order", () => {
    const seq = new SeqTracker();
    expect([1, 2, 2, 1, 4, 3, 4].map((n) => seq.take(n))).toEqual(["new", "new", "seen", "seen", "gap", "new", "new"]);
    expect(seq.last).toBe(4);
  });
});

describe("texts", () => {
  it("puts values and plural forms in", () => {
    expect(t("meta.tokens", { n: 1 })).toBe("1 token");
    expect(t("meta.tokens", { n: 1234 })).toBe("1,234 tokens");
    expect(t("list.deleted", { title: "{n}" })).toBe("“{n}” was deleted.");
  });

  it("has a sentence for a code, else the server's own", () => {
    expect(troubleText({ code: "no_capacity", detail: "x", retry_after: 2.2 })).toBe(
      "No model has room just now. Try again in about 3 s.",
    );
    expect(troubleText({ code: "brand_new", detail: "Told by the server." })).toBe("Told by the server.");
    expect(troubleText({ code: "brand_new", detail: "" })).toBe("Something went wrong. Please try again.");
  });

  it("tells waiting with what is known", () => {
    expect(stageText("queued", 3)).toBe("Waiting: place 3 in the queue");
    expect(stageText("queued")).toBe("Waiting for a free place");
    expect(stageText("waking", undefined, 41.2)).toBe("Waking the model: about 42 s");
  });

  it("shows small money with digits that matter", () => {
    expect(moneyText("0.001234")).toBe("$0.0012");
    expect(moneyText("1.239")).toBe("$1.24");
    expect(moneyText("0.0000000001")).toBe("$0.00");
    expect(moneyText("0.000000000000")).toBe("free");
    expect(moneyText(null)).toBe("free");
  });

  it("sums up an answer and leaves out what is not known", () => {
    const message = { model: "m", usage: { input_tokens: 3, output_tokens: 4 }, cost_usd: "0" } as Message;
    expect(metaText(message, 2140)).toBe("m · 2.1 s · 7 tokens · free");
    expect(metaText({ ...message, model: "", usage: null, cost_usd: null }, null)).toBe("");
  });

  it("says why an answer ended, unless it simply ended", () => {
    expect(finishNotice("stop")).toBeNull();
    expect(finishNotice("stopped")).toBe("You stopped this answer.");
  });
});

describe("the list by day", () => {
  const now = new Date(2026, 10, 21, 12);
  const item = (id: string, daysAgo: number, pinned = false): ConversationItem => ({
    id,
    title: id,
    pinned,
    updated_at: new Date(2026, 10, 21 - daysAgo, 9).toISOString(),
    running_turn: null,
  });

  it("puts pinned ones first and the others under their day", () => {
    const groups = groupByDay([item("a", 0), item("b", 1), item("c", 5), item("d", 20), item("e", 90), item("p", 90, true)], now);
    expect(groups.map((group) => [group.label, group.items.map((one) => one.id).join()])).toEqual([
      ["Pinned", "p"],
      ["Today", "a"],
      ["Yesterday", "b"],
      ["Last 7 days", "c"],
      ["Last 30 days", "d"],
      ["August 2026", "e"],
    ]);
  });
});

describe("drafts", () => {
  beforeEach(() => localStorage.clear());

  it("keeps one for each conversation and person", () => {
    const ana = new Drafts("ana@acme.test");
    ana.write(null, "new");
    ana.write("c1", "old");
    expect([ana.read(null), ana.read("c1"), new Drafts("ben@acme.test").read(null)]).toEqual(["new", "old", ""]);
    ana.write("c1", "  ");
    expect(localStorage.length).toBe(1);
  });
});

describe("speaking", () => {
  it("splits at the last sentence end", () => {
    expect(splitSentences("One. Two 3.5 and")).toEqual({ ready: "One.", rest: " Two 3.5 and" });
    expect(splitSentences("一つ。二つ")).toEqual({ ready: "一つ。", rest: "二つ" });
    expect(splitSentences("none yet")).toEqual({ ready: "", rest: "none yet" });
  });

  it("leaves marks out", () => {
    expect(speakable("## A **bold** [link](https://a.test) `x` [2]\n- item\n```py")).toBe("A bold link x item");
  });

  it("says sentences, not tokens, and the end", () => {
    const region = document.createElement("div");
    const announcer = new Announcer(region);
    for (const word of "This is the first sentence of the answer. And the ".split(/(?<= )/)) announcer.add(word);
    expect(region.textContent).toBe("This is the first sentence of the answer.");
    announcer.finish("Done.");
    expect(region.lastChild?.textContent).toBe("And the Done.");
  });
});

describe("small rules", () => {
  it("follows only the path of the next page", () => {
    expect(ownPath("http://internal:8000/api/x/?cursor=a%3D")).toBe("/api/x/?cursor=a%3D");
    expect(ownPath(null)).toBeNull();
  });

  it("lists the sources that are cited", () => {
    const sources = [1, 2, 3].map((n) => ({ n, document_id: "d", title: "t", page: null, chunk_id: "c" }));
    expect(citedSources("a [3] b [1] c [7]", sources).map((source) => source.n)).toEqual([1, 3]);
  });

  it("chooses the theme", () => {
    expect(themeName("system", true)).toBe("panal-dark");
    expect(themeName("light", true)).toBe("panal");
  });
});
