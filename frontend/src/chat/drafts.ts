/** What somebody typed and did not send, for each conversation, across reloads. */

const PREFIX = "panal-draft";
const MAX_CHARACTERS = 200_000;

export class Drafts {
  constructor(private readonly owner: string) {}

  private key(conversation: string | null): string {
    return `${PREFIX}:${this.owner}:${conversation ?? "new"}`;
  }

  read(conversation: string | null): string {
    try {
      return localStorage.getItem(this.key(conversation)) ?? "";
    } catch {
      return "";
    }
  }

  write(conversation: string | null, text: string): void {
    try {
      if (text.trim() && text.length <= MAX_CHARACTERS) localStorage.setItem(this.key(conversation), text);
      else localStorage.removeItem(this.key(conversation));
    } catch {
      // A full or forbidden storage only costs the draft.
    }
  }
}
