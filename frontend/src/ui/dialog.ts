/** Dialogs: `data-dialog-open="id"` opens `<dialog id>`, `data-dialog-close` closes it; `confirmAction` asks first. */

import { t } from "../i18n";
import { el } from "./dom";

export function startDialogs(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const opens = target.closest<HTMLElement>("[data-dialog-open]");
    if (opens) document.querySelector<HTMLDialogElement>(`#${CSS.escape(opens.dataset["dialogOpen"]!)}`)?.showModal();
    else if (target.closest("[data-dialog-close]")) target.closest("dialog")?.close();
  });
  // The server renders a form with errors in an open dialog.
  for (const dialog of document.querySelectorAll<HTMLDialogElement>("dialog[open]")) {
    dialog.close();
    dialog.showModal();
  }
  // A form with data-confirm="Sentence" is sent only after a yes; data-confirm-action names the button.
  document.addEventListener("submit", (event) => void onSubmit(event), true);
}

async function onSubmit(event: SubmitEvent): Promise<void> {
  const form = event.target as HTMLFormElement;
  const question = form.dataset["confirm"];
  if (!question || form.dataset["confirmed"]) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (await confirmAction(question, form.dataset["confirmAction"])) {
    form.dataset["confirmed"] = "yes";
    form.requestSubmit(event.submitter instanceof HTMLButtonElement ? event.submitter : null);
    delete form.dataset["confirmed"];
  }
}

/** Resolves to true when the person agreed. The safe answer has the focus. */
export function confirmAction(question: string, action?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const no = el("button", { type: "button", class: "btn", autofocus: true }, t("common.cancel"));
    const yes = el("button", { type: "button", class: "btn btn-error" }, action ?? t("common.continue"));
    const text = el("p", { id: "confirm-text" }, question);
    const dialog = el(
      "dialog",
      { class: "dialog", "aria-labelledby": "confirm-text" },
      text,
      el("div", { class: "dialog-actions" }, no, yes),
    );
    let answer = false;
    yes.addEventListener("click", () => {
      answer = true;
      dialog.close();
    });
    no.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
