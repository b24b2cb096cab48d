/** Console and public site: htmx and the page's own small parts. */

import "htmx.org";
import { startUploads } from "./console/upload";
import { t } from "./i18n";
import { copyText } from "./ui/copy";
import { startPage } from "./ui/start";
import { toast } from "./ui/toast";

/** `data-copy="text"` or `data-copy-from="#id"` on a button. */
async function onCopy(button: HTMLElement): Promise<void> {
  const from = button.dataset["copyFrom"];
  const source = from ? document.querySelector<HTMLElement>(from) : null;
  const text = source instanceof HTMLInputElement ? source.value : (source?.textContent ?? button.dataset["copy"] ?? "");
  toast({ text: (await copyText(text.trim())) ? t("common.copied") : t("common.copy_failed") });
}

document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLElement>("[data-copy], [data-copy-from]");
  if (button) void onCopy(button);
});

// htmx swaps what the server answers, 422 included; only a server that does not answer needs words of ours.
document.addEventListener("htmx:error", () => toast({ text: t("error.network") }));

startPage();
startUploads();
