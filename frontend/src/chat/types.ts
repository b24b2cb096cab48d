/** What crosses the wire: the REST answers and the frames of `/ws/chat/`. */

export interface ChatConfig {
  user: { name: string; email: string };
  workspace: string;
  conversation_id: string | null;
  socket_path: string;
  can_ask: boolean;
  /** Of one message. */
  max_characters: number;
}

export interface ConversationItem {
  id: string;
  title: string;
  pinned: boolean;
  updated_at: string;
  running_turn: string | null;
}

export interface Conversation {
  id: string;
  title: string;
  pinned: boolean;
  active_leaf: string | null;
  running_turn: string | null;
}

export interface Source {
  n: number;
  document_id: string;
  title: string;
  page: number | null;
  chunk_id: string;
}

export interface Usage {
  input_tokens?: number;
  output_tokens?: number;
}

export interface Message {
  id: string;
  parent_id: string | null;
  role: "user" | "assistant";
  text: string;
  status: string;
  finish: string;
  error_code?: string;
  model: string;
  pool: string;
  tier: string;
  usage: Usage | null;
  cost_usd: string | number | null;
  sources: Source[];
  turn_id: string | null;
  created_at: string;
}

export interface ModelCard {
  name: string;
  kind: string;
  tier: string;
  pool: string;
  available: boolean;
  /** Why it is or is not available, one line. */
  reason: string;
  /** US dollars per million tokens. */
  input_price: string;
  output_price: string;
}

export interface KnowledgeBase {
  id: string;
  name: string;
}

export interface Passage {
  document_id: string;
  title: string;
  page: number | null;
  before: string;
  text: string;
  after: string;
}

export interface Page<T> {
  results: T[];
  next: string | null;
}

export interface AskFrame {
  type: "ask";
  request_id: string;
  conversation_id: string | null;
  text: string;
  model?: string;
  knowledge_base_ids?: string[];
  parent_id?: string;
}

interface InTurn {
  turn_id: string;
  seq: number;
}

export type Stage = "queued" | "searching" | "routing" | "waking" | "generating" | "failover";

export type TurnFrame = InTurn &
  (
    | { type: "accepted"; request_id: string; conversation_id: string; message_id: string }
    | { type: "status"; stage: Stage; position?: number; eta_s?: number; detail?: string }
    | { type: "sources"; sources: Source[] }
    | { type: "delta"; text: string }
    | {
        type: "done";
        message_id: string;
        finish: string;
        usage: Usage | null;
        model: string;
        pool: string;
        tier: string;
        cost_usd: string | number | null;
      }
    | { type: "error"; code: string; detail: string; retry_after?: number }
  );

export type LooseFrame =
  | { type: "pong" }
  | { type: "draining"; retry_in: number }
  /** Notices: something happened in another tab, or to the title. */
  | { type: "turn"; conversation_id: string; turn_id: string }
  | { type: "title"; conversation_id: string; title: string }
  | { type: "error"; code: string; detail: string; retry_after?: number; request_id?: string; turn_id?: string };

export type ServerFrame = TurnFrame | LooseFrame;

export function isTurnFrame(frame: ServerFrame): frame is TurnFrame {
  return "turn_id" in frame && typeof (frame as TurnFrame).seq === "number";
}
