/** The few DOM helpers everything else is written with. */

type Attributes = Record<string, string | number | boolean | undefined>;
type Child = Node | string | null | undefined;

/** `el("button", {class: "btn"}, "Send")`. Text is always text: nothing is parsed as HTML here. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, String(value));
  }
  node.append(...children.filter((child): child is Node | string => child !== null && child !== undefined));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";
const DIRECTIONAL = new Set(["arrow-end", "chevron-end", "chevron-start", "panel", "sign-out"]);

/** A symbol of the page's icon sheet; decorative, so its button needs a label. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", DIRECTIONAL.has(name) ? "icon icon-directional" : "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function iconButton(name: string, label: string, onClick: (event: MouseEvent) => void): HTMLButtonElement {
  const button = el("button", { type: "button", class: "icon-button", "aria-label": label, title: label }, icon(name));
  button.addEventListener("click", onClick);
  return button;
}

/** The element, or an error that names what the template lacks. */
export function need<T extends Element = HTMLElement>(selector: string, root: ParentNode = document): T {
  const found = root.querySelector<T>(selector);
  if (!found) throw new Error(`The page lacks ${selector}`);
  return found;
}

/** What `<script type="application/json" id=…>` holds. */
export function pageData<T>(id: string): T {
  return JSON.parse(need(`#${id}`).textContent ?? "null") as T;
}
