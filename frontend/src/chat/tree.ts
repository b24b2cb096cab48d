/** Messages form a tree: an edited prompt or a second answer is a sibling. The page shows one path through it. */

import type { Message } from "./types";

export class Tree {
  private readonly byId = new Map<string, Message>();
  private readonly children = new Map<string | null, Message[]>();

  constructor(messages: readonly Message[] = []) {
    for (const message of messages) this.add(message);
  }

  add(message: Message): void {
    const siblings = this.childrenOf(message.parent_id);
    const at = siblings.findIndex((other) => other.id === message.id);
    if (at >= 0) siblings[at] = message;
    else siblings.push(message);
    this.children.set(message.parent_id, siblings);
    this.byId.set(message.id, message);
  }

  get(id: string | null | undefined): Message | undefined {
    return id ? this.byId.get(id) : undefined;
  }

  get size(): number {
    return this.byId.size;
  }

  childrenOf(id: string | null): Message[] {
    return this.children.get(id) ?? [];
  }

  siblings(message: Message): Message[] {
    return this.childrenOf(message.parent_id).filter((other) => other.role === message.role);
  }

  /** From the first message down to `leaf`. */
  path(leaf: string | null): Message[] {
    const found: Message[] = [];
    for (let at = this.get(leaf); at && found.length <= this.byId.size; at = this.get(at.parent_id)) found.push(at);
    return found.reverse();
  }

  /** The newest message reachable from `id` by always taking the newest child. */
  leafBelow(id: string | null): string | null {
    let at = id;
    for (let guard = 0; guard <= this.byId.size; guard++) {
      const newest = this.childrenOf(at).at(-1);
      if (!newest) return at;
      at = newest.id;
    }
    return at;
  }

  /** The leaf to show first: what the server remembers, or else the newest branch. */
  startLeaf(active: string | null): string | null {
    return this.leafBelow(this.get(active) ? active : null);
  }
}
