/**
 * Uploads of a `form[data-upload]`: files dropped anywhere on the page or chosen, three at a time, each with its
 * progress. Without this script the form itself sends the files.
 */

import { t } from "../i18n";
import { el, need } from "../ui/dom";

const AT_ONCE = 3;

interface Waiting {
  file: File;
  row: Row;
}

interface Row {
  progress(share: number): void;
  say(text: string, tone?: "good" | "bad"): void;
  offerRetry(again: () => void): void;
}

/** What the server said about a file it did not take. */
export function reasonOf(status: number, body: string): string {
  if (status === 0) return t("upload.no_connection");
  try {
    const problem = JSON.parse(body) as { detail?: string };
    return problem.detail ?? t("upload.refused");
  } catch {
    return t("upload.refused");
  }
}

/** Why a file is not even sent; null when it may go. */
export function objection(file: { size: number }, max: number): string | null {
  if (file.size === 0) return t("upload.empty");
  return file.size > max ? t("upload.too_large", { limit: Math.floor(max / 1024 / 1024) }) : null;
}

function addRow(list: HTMLElement, name: string): Row {
  const bar = el("progress", { class: "progress progress-primary w-full", max: 1, value: 0, "aria-label": name });
  const words = el("span", { class: "text-xs text-muted" }, t("upload.waiting"));
  const label = el("bdi", { class: "min-w-0 flex-1 truncate text-sm font-medium" }, name);
  const head = el("div", { class: "flex flex-wrap items-center gap-x-3" }, label, words);
  const item = el("li", { class: "grid gap-1" }, head, bar);
  list.append(item);
  return {
    progress(share) {
      bar.value = share;
      words.textContent = share < 1 ? t("upload.sending", { percent: Math.round(share * 100) }) : t("upload.checking");
    },
    say(text, tone) {
      bar.remove();
      words.textContent = text;
      words.className = tone === "bad" ? "w-full text-xs text-error" : tone === "good" ? "text-xs text-success" : "text-xs text-muted";
    },
    offerRetry(again) {
      const button = el("button", { type: "button", class: "btn btn-sm" }, t("common.retry"));
      button.addEventListener("click", () => {
        item.remove();
        again();
      });
      head.append(button);
    },
  };
}

class Uploader {
  private readonly waiting: Waiting[] = [];
  private running = 0;

  constructor(private readonly form: HTMLFormElement) {}

  add(files: Iterable<File>): void {
    for (const file of files) this.admit(file);
    this.next();
  }

  private admit(file: File): void {
    const row = addRow(need("[data-upload-list]", this.form), file.name);
    const wrong = objection(file, Number(this.form.dataset["uploadMax"]));
    if (wrong) row.say(wrong, "bad");
    else this.waiting.push({ file, row });
  }

  private next(): void {
    while (this.running < AT_ONCE) {
      const entry = this.waiting.shift();
      if (!entry) return;
      this.running += 1;
      this.send(entry);
    }
  }

  private send({ file, row }: Waiting): void {
    const request = new XMLHttpRequest();
    request.open("POST", this.form.dataset["upload"]!);
    request.setRequestHeader("X-CSRFToken", need<HTMLInputElement>("[name=csrfmiddlewaretoken]", this.form).value);
    request.upload.addEventListener("progress", (event) => row.progress(event.total ? event.loaded / event.total : 0));
    request.addEventListener("loadend", () => {
      this.running -= 1;
      this.settle(request, file, row);
      this.next();
    });
    const body = new FormData();
    body.append("file", file);
    request.send(body);
  }

  private settle(request: XMLHttpRequest, file: File, row: Row): void {
    if (request.status === 202) {
      row.say(t("upload.taken"), "good");
      document.body.dispatchEvent(new CustomEvent("uploaded"));
      return;
    }
    row.say(reasonOf(request.status, request.responseText), "bad");
    if (request.status === 0 || request.status >= 500) row.offerRetry(() => this.add([file]));
  }
}

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

function acceptDrops(form: HTMLFormElement, uploader: Uploader): void {
  const over = (is: boolean): void => void form.toggleAttribute("data-over", is);
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) over(false); // left the window, not just an element
  });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    over(false);
    uploader.add(event.dataTransfer!.files);
  });
}

export function startUploads(): void {
  const form = document.querySelector<HTMLFormElement>("form[data-upload]");
  if (!form) return;
  const input = need<HTMLInputElement>("input[type=file]", form);
  const uploader = new Uploader(form);
  const takeChosen = (): void => {
    uploader.add([...(input.files ?? [])]);
    input.value = "";
  };
  input.addEventListener("change", takeChosen);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.files?.length) takeChosen();
    else input.click();
  });
  acceptDrops(form, uploader);
}
