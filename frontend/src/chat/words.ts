/** Sentences for what the server tells in codes and numbers. */

import { language, t, type MessageKey } from "../i18n";
import { en } from "../locale/en";
import type { Message, Stage, Usage } from "./types";

export interface Trouble {
  code: string;
  detail: string;
  retry_after?: number | undefined;
}

/** A sentence of ours for a code we know, else the server's own. */
export function troubleText({ code, detail, retry_after }: Trouble): string {
  const key = `error.${code}`;
  const text = key in en ? t(key as MessageKey) : detail || t("error.unknown");
  return retry_after ? `${text} ${t("error.retry_in", { s: Math.ceil(retry_after) })}` : text;
}

export function stageText(stage: Stage, position?: number, etaSeconds?: number): string {
  if (stage === "queued" && position) return t("stage.queued_at", { position });
  if (stage === "waking" && etaSeconds) return t("stage.waking_eta", { s: Math.ceil(etaSeconds) });
  return t(`stage.${stage}`);
}

/** US dollars; a fraction of a cent keeps two digits that matter. */
export function moneyText(usd: string | number | null): string {
  const value = Number(usd ?? 0);
  if (!value) return t("meta.free");
  const digits = value >= 0.01 ? 2 : Math.min(8, 1 - Math.floor(Math.log10(value)));
  return new Intl.NumberFormat(language(), {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: 2,
    maximumFractionDigits: digits,
  }).format(value);
}

const tokenCount = (usage: Usage | null): number => (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0);

/** "model · 2.1 s · 120 tokens · $0.0012"; parts that are not known are left out. */
export function metaText(message: Message, elapsedMs: number | null): string {
  const parts = [message.model];
  if (elapsedMs !== null) {
    const seconds = new Intl.NumberFormat(language(), { maximumFractionDigits: 1 }).format(elapsedMs / 1000);
    parts.push(t("meta.seconds", { s: seconds }));
  }
  const tokens = tokenCount(message.usage);
  if (tokens) parts.push(t("meta.tokens", { n: tokens }));
  if (message.cost_usd !== null && message.model) parts.push(moneyText(message.cost_usd));
  return parts.filter(Boolean).join(" · ");
}

/** What to tell about an answer that did not end by itself. */
export function finishNotice(finish: string): string | null {
  const key = `finish.${finish}`;
  return key in en ? t(key as MessageKey) : null;
}
