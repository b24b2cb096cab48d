import { beforeEach, describe, expect, it, vi } from "vitest";
import { objection, reasonOf, startUploads } from "../src/console/upload";

const MB = 1024 * 1024;

class FakeRequest extends EventTarget {
  static all: FakeRequest[] = [];
  upload = new EventTarget();
  headers: Record<string, string> = {};
  status = 0;
  responseText = "";
  url = "";
  body: FormData | undefined;
  constructor() {
    super();
    FakeRequest.all.push(this);
  }
  open(_method: string, url: string): void {
    this.url = url;
  }
  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }
  send(body: FormData): void {
    this.body = body;
  }
  answer(status: number, body: object = {}): void {
    this.status = status;
    this.responseText = JSON.stringify(body);
    this.dispatchEvent(new Event("loadend"));
  }
}

function page(): void {
  document.body.innerHTML = `<form data-upload="/api/up/" data-upload-max="${MB}">
    <input type="hidden" name="csrfmiddlewaretoken" value="token">
    <input type="file" multiple><ul data-upload-list></ul></form>`;
}

function drop(...files: File[]): void {
  const event = new Event("drop") as unknown as { dataTransfer: object };
  event.dataTransfer = { types: ["Files"], files };
  document.dispatchEvent(event as unknown as Event);
}

const file = (name: string, size = 10): File => new File(["x".repeat(size)], name);
const words = (): string[] => [...document.querySelectorAll("[data-upload-list] li")].map((row) => row.textContent ?? "");

describe("before sending", () => {
  it("refuses empty and oversized files", () => {
    expect(objection({ size: 0 }, MB)).toContain("empty");
    expect(objection({ size: 51 * MB }, 50 * MB)).toContain("50 MB");
    expect(objection({ size: 50 * MB }, 50 * MB)).toBeNull();
  });
});

describe("what the server says", () => {
  it("shows its sentence, or a plain one", () => {
    expect(reasonOf(413, '{"detail": "A file may be up to 50 MB."}')).toBe("A file may be up to 50 MB.");
    expect(reasonOf(502, "<html>")).toBe("The server did not take this file.");
    expect(reasonOf(0, "")).toBe("The connection broke off.");
  });
});

describe("uploading", () => {
  // One page and one uploader: drops are heard on the document, which outlives a test's page.
  FakeRequest.all = [];
  vi.stubGlobal("XMLHttpRequest", FakeRequest);
  page();
  startUploads();

  beforeEach(() => {
    FakeRequest.all = [];
    document.querySelector("[data-upload-list]")!.innerHTML = "";
  });

  it("sends three at a time, each with the token", () => {
    drop(file("1.txt"), file("2.txt"), file("3.txt"), file("4.txt"));
    expect(FakeRequest.all).toHaveLength(3);
    expect(FakeRequest.all[0]!.headers["X-CSRFToken"]).toBe("token");
    FakeRequest.all[0]!.answer(202);
    expect(FakeRequest.all).toHaveLength(4);
    expect(words()[0]).toContain("Taken");
    for (const request of FakeRequest.all.slice(1)) request.answer(202);
  });

  it("tells the page that something came", () => {
    const heard = vi.fn();
    document.body.addEventListener("uploaded", heard);
    drop(file("a.txt"));
    FakeRequest.all[0]!.answer(202);
    expect(heard).toHaveBeenCalledOnce();
  });

  it("says why a file was not taken and goes on with the others", () => {
    drop(file("bad.exe"), file("good.txt"));
    FakeRequest.all[0]!.answer(415, { detail: "This kind of file cannot be read." });
    FakeRequest.all[1]!.answer(202);
    expect(words()[0]).toContain("This kind of file cannot be read.");
    expect(words()[1]).toContain("Taken");
  });

  it("offers another try after a broken connection", () => {
    drop(file("a.txt"));
    FakeRequest.all[0]!.answer(0);
    expect(words()[0]).toContain("The connection broke off.");
    document.querySelector<HTMLButtonElement>("[data-upload-list] button")!.click();
    expect(FakeRequest.all).toHaveLength(2);
    FakeRequest.all[1]!.answer(202);
    expect(words()).toHaveLength(1);
  });

  it("shows a hostile name as text", () => {
    drop(file("<img src=x onerror=alert(1)>.txt"));
    expect(document.querySelector("[data-upload-list] img")).toBeNull();
    FakeRequest.all[0]!.answer(202);
  });
});
