/** The banner that tells the state of the connection, after a moment: a short break is nobody's business. */

import { t } from "../i18n";
import { el, icon, need } from "../ui/dom";
import { toast } from "../ui/toast";
import type { SocketState } from "./socket";

const PATIENCE_MS = 1200;

export class LinkBanner {
  private readonly banner = need("#link-banner");
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly reconnect: () => void) {}

  show(state: SocketState): void {
    clearTimeout(this.timer);
    if (state === "open") this.hide();
    else if (state === "offline" || state === "refused") this.draw(state);
    else this.timer = setTimeout(() => this.draw(state), PATIENCE_MS);
  }

  private hide(): void {
    if (!this.banner.hidden) toast({ text: t("link.back") });
    this.banner.hidden = true;
  }

  private draw(state: Exclude<SocketState, "open">): void {
    const text = el("span", { class: "flex-1" }, t(`link.${state}`));
    this.banner.replaceChildren(icon(state === "refused" ? "lock" : "offline"), text);
    if (state === "refused") {
      const next = encodeURIComponent(location.pathname);
      this.banner.append(el("a", { class: "btn btn-sm", href: `/sign-in/?next=${next}` }, t("link.sign_in")));
    } else if (state === "waiting") {
      const button = el("button", { type: "button", class: "btn btn-sm" }, t("link.now"));
      button.addEventListener("click", () => this.reconnect());
      this.banner.append(button);
    }
    this.banner.hidden = false;
  }
}
