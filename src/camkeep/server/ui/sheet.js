// @ts-check
/** The sheet that tells which keys there are. */

import { make } from "./dom.js";
import { say } from "./say.js";

/** Show it, or put it away. */
export function sheet() {
  const shown = document.querySelector("dialog.keys");
  if (shown instanceof HTMLDialogElement) return shown.close();
  const rows = say.keys.all.map(([keys, told]) =>
    make(
      "div",
      {},
      make("dt", {}, ...keys.split(/ +/).map((key) => make("kbd", {}, key))),
      make("dd", {}, told),
    ),
  );
  const dialog = make(
    "dialog",
    { class: "keys", "aria-labelledby": "keys" },
    make("h1", { id: "keys" }, say.keys.title),
    make("dl", {}, ...rows),
    make("form", { method: "dialog" }, make("button", { class: "primary" }, say.keys.close)),
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("keydown", ({ key }) => {
    if (key === "?") dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}
