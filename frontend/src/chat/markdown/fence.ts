/** Code fences: the block that is still open at the end of a growing text. */

export interface Fence {
  mark: string;
  length: number;
  language: string;
  /** Where the code starts in the text that was given. */
  start: number;
}

const OPENING = /^ {0,3}(`{3,}|~{3,})([^\n]*)\n/;

/** The fence that opens `block`, once its first line is complete. */
export function openingFence(block: string): Fence | null {
  const match = OPENING.exec(block);
  if (!match?.[1]) return null;
  const info = (match[2] ?? "").trim();
  if (match[1][0] === "`" && info.includes("`")) return null;
  return {
    mark: match[1][0]!,
    length: match[1].length,
    language: info.split(/\s+/)[0] ?? "",
    start: match[0].length,
  };
}

/** Where in `code` the closing line begins, or -1. It uses the opening character, at least as often. */
export function closingAt(code: string, fence: Fence, from = 0): number {
  const closing = new RegExp(`^ {0,3}${fence.mark}{${fence.length},}[ \\t]*$`, "gm");
  closing.lastIndex = from === 0 ? 0 : code.lastIndexOf("\n", from - 1) + 1;
  return closing.exec(code)?.index ?? -1;
}

/** How much of a growing code text is certain: its last line may be half of the closing fence. */
export function certainLength(code: string, fence: Fence): number {
  const line = code.lastIndexOf("\n") + 1;
  const tail = code.slice(line).trim();
  return tail === "" || [...tail].every((c) => c === fence.mark) ? line : code.length;
}
