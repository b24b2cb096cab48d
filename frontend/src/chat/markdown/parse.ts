/** Markdown to clean HTML. Raw HTML in an answer is shown as text, images become links, citations become `<cite>`. */

import DOMPurify from "dompurify";
import { Marked, type RendererObject, type Token, type TokenizerAndRendererExtension, type TokensList } from "marked";

const TAGS =
  "p br hr h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong del a table thead tbody tr th td input cite".split(" ");
const ATTRIBUTES = ["href", "title", "align", "start", "class", "type", "checked", "disabled", "data-n"];

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** `[3]`, but not `[3](…)`, `[3][…]` or a definition. */
const citation: TokenizerAndRendererExtension = {
  name: "citation",
  level: "inline",
  start: (source) => source.match(/\[\d/)?.index,
  tokenizer(source) {
    const match = /^\[(\d{1,3})\](?![([:])/.exec(source);
    return match ? { type: "citation", raw: match[0], n: match[1] } : undefined;
  },
  renderer: (token) => `<cite data-n="${token["n"]}">[${token["n"]}]</cite>`,
};

const renderer: RendererObject = {
  html: ({ raw }) => escapeHtml(raw),
  // A remote image would tell its server who reads the answer, and could carry the conversation in its address.
  image: ({ href, text }) => `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`,
};

const marked = new Marked({ gfm: true, renderer, extensions: [citation] });

export function lex(markdown: string): TokensList {
  return marked.lexer(markdown);
}

export function renderTokens(tokens: Token[]): string {
  return sanitize(marked.parser(tokens));
}

export function render(markdown: string): string {
  return renderTokens(lex(markdown));
}

function sanitize(html: string): string {
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    // Values of these are not addresses, so the pattern below is not for them.
    ADD_URI_SAFE_ATTR: ["align", "checked", "data-n", "disabled", "start", "type"],
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|tel:|#|\/(?!\/))/i,
  });
}
