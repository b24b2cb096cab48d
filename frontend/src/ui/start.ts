import { startDialogs } from "./dialog";
import { startDrawer } from "./drawer";
import { startMenus } from "./menu";
import { startTheme } from "./theme";
import { startToasts } from "./toast";

/** What every page needs, chat and console alike. */
export function startPage(): void {
  startTheme();
  startToasts();
  startMenus();
  startDrawer();
  startDialogs();
}
