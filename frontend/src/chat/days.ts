/** Groups of the conversation list. Pinned ones come first, the others by the day of their last change. */

import { language, t } from "../i18n";
import type { ConversationItem } from "./types";

export interface Group {
  label: string;
  items: ConversationItem[];
}

const DAY_MS = 86_400_000;

function midnight(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

export function dayLabel(updated: Date, now: Date): string {
  const days = Math.round((midnight(now) - midnight(updated)) / DAY_MS);
  if (days <= 0) return t("days.today");
  if (days === 1) return t("days.yesterday");
  if (days <= 7) return t("days.week");
  if (days <= 30) return t("days.month");
  return new Intl.DateTimeFormat(language(), { month: "long", year: "numeric" }).format(updated);
}

export function groupByDay(items: readonly ConversationItem[], now: Date): Group[] {
  const groups = new Map<string, ConversationItem[]>();
  const pinned = items.filter((item) => item.pinned);
  if (pinned.length) groups.set(t("days.pinned"), pinned);
  const others = items.filter((item) => !item.pinned);
  others.sort((a, b) => b.updated_at.localeCompare(a.updated_at));
  for (const item of others) {
    const label = dayLabel(new Date(item.updated_at), now);
    groups.set(label, [...(groups.get(label) ?? []), item]);
  }
  return [...groups].map(([label, grouped]) => ({ label, items: grouped }));
}
