/** Every text the scripts show. Keys are stable; other languages give the same keys. */
export const en = {
  "common.cancel": "Cancel",
  "common.close": "Close",
  "common.continue": "Continue",
  "common.copied": "Copied",
  "common.copy_failed": "The browser did not allow copying.",
  "error.network": "The server could not be reached. Please try again.",
};
