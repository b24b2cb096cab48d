import { describe, expect, it } from "vitest";

import { Tree } from "../src/chat/tree";
import type { Message } from "../src/chat/types";

const message = (id: string, parent: string | null, role: "user" | "assistant"): Message => ({
  id, parent_id: parent, role, text: id, status: "complete", finish: "stop", model: "", pool: "", tier: "",
  usage: null, cost_usd: null, sources: [], turn_id: null, created_at: "",
});

/** A question, answered twice; then the question edited, answered once and followed up. */
const tree = new Tree([
  message("q1", null, "user"),
  message("a1", "q1", "assistant"),
  message("a2", "q1", "assistant"),
  message("q2", null, "user"),
  message("b1", "q2", "assistant"),
  message("q3", "b1", "user"),
  message("c1", "q3", "assistant"),
]);
const ids = (messages: Message[]): string[] => messages.map((one) => one.id);

describe("the tree of messages", () => {
  it("gives the path to a leaf", () => {
    expect(ids(tree.path("c1"))).toEqual(["q2", "b1", "q3", "c1"]);
    expect(ids(tree.path("a1"))).toEqual(["q1", "a1"]);
    expect(tree.path("unknown")).toEqual([]);
  });

  it("knows siblings, at the root too", () => {
    expect(ids(tree.siblings(tree.get("a2")!))).toEqual(["a1", "a2"]);
    expect(ids(tree.siblings(tree.get("q1")!))).toEqual(["q1", "q2"]);
  });

  it("goes down the newest branch", () => {
    expect(tree.leafBelow("q1")).toBe("a2");
    expect(tree.leafBelow("q2")).toBe("c1");
  });

  it("starts at the remembered leaf, or at the newest", () => {
    expect(tree.startLeaf("a1")).toBe("a1");
    expect(tree.startLeaf("gone")).toBe("c1");
    expect(new Tree().startLeaf(null)).toBeNull();
  });

  it("replaces a message it knows", () => {
    const again = new Tree([message("q1", null, "user")]);
    again.add({ ...message("q1", null, "user"), text: "new" });
    expect(again.childrenOf(null)).toHaveLength(1);
    expect(again.get("q1")?.text).toBe("new");
  });

  it("survives a loop in bad data", () => {
    const loop = new Tree([message("x", "y", "user"), message("y", "x", "assistant")]);
    expect(loop.path("x").length).toBeLessThan(5);
    expect(loop.leafBelow("x")).not.toBeUndefined();
  });
});
