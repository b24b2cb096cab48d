/** REST calls of the chat page. Errors are problem documents; `code` is stable, `detail` is a sentence. */

import type { Conversation, ConversationItem, KnowledgeBase, Message, ModelCard, Page, Passage } from "./types";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

function csrfToken(): string {
  const headers = document.body.getAttribute("hx-headers:inherited") ?? "{}";
  return (JSON.parse(headers) as Record<string, string>)["X-CSRFToken"] ?? "";
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(path, {
    method,
    credentials: "same-origin",
    headers: {
      Accept: "application/json",
      ...(method === "GET" ? {} : { "X-CSRFToken": csrfToken() }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function problemOf(response: Response): Promise<ApiError> {
  try {
    const problem = (await response.json()) as { code?: string; detail?: string };
    return new ApiError(response.status, problem.code ?? "error", problem.detail ?? response.statusText);
  } catch {
    return new ApiError(response.status, "error", response.statusText);
  }
}

const rows = <T>(answer: Page<T> | T[]): T[] => (Array.isArray(answer) ? answer : answer.results);

/** Follows `next` to the end; a page is a few hundred rows. */
async function all<T>(path: string): Promise<T[]> {
  const found: T[] = [];
  for (let at: string | null = path; at; ) {
    const page: Page<T> | T[] = await call("GET", at);
    found.push(...rows(page));
    at = Array.isArray(page) ? null : ownPath(page.next);
  }
  return found;
}

/** Only path and query of `next`: behind a proxy its scheme may not be the page's. */
export function ownPath(next: string | null): string | null {
  if (!next) return null;
  const url = new URL(next, location.origin);
  return url.pathname + url.search;
}

export const api = {
  conversations: (search: string): Promise<Page<ConversationItem>> =>
    call("GET", `/api/conversations/?search=${encodeURIComponent(search)}`),
  moreConversations: (next: string): Promise<Page<ConversationItem>> => call("GET", ownPath(next) ?? next),
  conversation: (id: string): Promise<Conversation> => call("GET", `/api/conversations/${id}/`),
  messages: (id: string): Promise<Message[]> => all(`/api/conversations/${id}/messages/`),
  patch: (id: string, changes: { title?: string; pinned?: boolean; active_leaf?: string }): Promise<Conversation> =>
    call("PATCH", `/api/conversations/${id}/`, changes),
  remove: (id: string): Promise<void> => call("DELETE", `/api/conversations/${id}/`),
  restore: (id: string): Promise<void> => call("POST", `/api/conversations/${id}/restore/`),
  models: (): Promise<ModelCard[]> => all("/api/models/"),
  knowledgeBases: (): Promise<KnowledgeBase[]> => all("/api/knowledge-bases/"),
  passage: (chunkId: string): Promise<Passage> => call("GET", `/api/chunks/${chunkId}/passage/`),
};
