/** Keeps the end in view while an answer grows, but only for somebody who is at the end. */

const NEAR_PX = 80;

export class StickyScroll {
  private sticking = true;

  constructor(
    private readonly scroller: HTMLElement,
    private readonly pill: HTMLElement,
  ) {
    scroller.addEventListener("scroll", () => this.onScroll(), { passive: true });
    pill.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.follow()).observe(scroller);
  }

  /** After something grew. */
  follow(): void {
    if (this.sticking) this.scroller.scrollTop = this.scroller.scrollHeight;
    else this.show(true);
  }

  toEnd(): void {
    this.sticking = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.show(false);
  }

  /** Inserts above without moving what is being read. */
  keepPlace(insert: () => void): void {
    const before = this.scroller.scrollHeight;
    insert();
    this.scroller.scrollTop += this.scroller.scrollHeight - before;
  }

  private onScroll(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.sticking = scrollHeight - scrollTop - clientHeight <= NEAR_PX;
    if (this.sticking) this.show(false);
    else if (scrollHeight - scrollTop > 2 * clientHeight) this.show(true);
  }

  private show(visible: boolean): void {
    this.pill.hidden = !visible;
  }
}
