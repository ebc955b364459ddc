// @ts-check
/** `<camkeep-backup>`: a copy of the settings to take along, and how they come back. */

import { Trouble, call, troubleOf } from "./api.js";
import { copyable } from "./copy.js";
import { icon, make } from "./dom.js";
import { button } from "./rows.js";
import { download } from "./save.js";
import { say } from "./say-more.js";
import { Section } from "./section.js";
import { tell } from "./toast.js";

class Backup extends Section {
  /** @override */
  every = 0;
  #get = button(say.system.take, "", take);

  /** @override */
  frame() {
    this.#get.classList.add("primary");
    this.#get.prepend(icon("save"));
    const told = say.system.backupTold.map((each) => make("p", {}, each));
    return { title: say.system.backup, head: [make("div", { class: "told" }, ...told, make("div", { class: "buttons" }, this.#get))] };
  }

  /** @override */
  async load() {
    const { archive } = await call("GET", "/system");
    const [folder, key] = [quoted(archive), quoted(`${archive}/camkeep.key`)];
    return [
      make("h2", {}, say.system.byHand),
      copyable(say.system.keyOnce, `cp ${key} ~/`, say.system.keyTold),
      copyable(say.system.onMachine, `camkeep backup settings.tar --data ${folder}`),
      copyable(say.system.back, `camkeep restore settings.tar --data ${folder} --overwrite`, say.system.backTold),
    ];
  }
}

async function take() {
  const answer = await fetch("/api/v1/backup", { method: "POST" }).catch(() => null);
  if (!answer) throw new Trouble("The recorder does not answer.", 0);
  if (!answer.ok) throw await troubleOf(answer);
  const [, name] = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "") ?? [];
  const file = name ?? "camkeep.tar";
  download(await answer.blob(), file);
  tell(say.watch.savedAs(file));
}

/** As a shell takes it. @param {string} path */
function quoted(path) {
  return /^[\w/.-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

customElements.define("camkeep-backup", Backup);
