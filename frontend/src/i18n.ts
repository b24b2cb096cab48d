import { en } from "./locale/en";

export type MessageKey = keyof typeof en;
type Values = Record<string, string | number>;

export function language(): string {
  return document.documentElement.lang || "en";
}

/** The text for `key`. `{name}` takes a value; `{n|one form|other form}` chooses by the language's plural rule. */
export function t(key: MessageKey, values: Values = {}): string {
  return en[key].replace(/\{(\w+)(?:\|([^}]*))?\}/g, (_whole, name: string, forms?: string) => {
    const value = values[name] ?? "";
    return forms === undefined ? String(value) : pluralForm(Number(value), forms.split("|"));
  });
}

const ORDER: Intl.LDMLPluralRule[] = ["zero", "one", "two", "few", "many", "other"];

/** `forms` follow the order of the language's own categories; `#` stands for the number. */
function pluralForm(n: number, forms: string[]): string {
  const rules = new Intl.PluralRules(language());
  const used = ORDER.filter((rule) => rules.resolvedOptions().pluralCategories.includes(rule));
  const form = forms[used.indexOf(rules.select(n))] ?? forms.at(-1) ?? "";
  return form.replace("#", new Intl.NumberFormat(language()).format(n));
}
