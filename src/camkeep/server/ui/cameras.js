// @ts-check
/**
 * `<camkeep-cameras>`: set up a camera: one that this machine finds, one at an address, or a
 * simulated one. It is also what somebody sees first.
 */

import { Trouble, api } from "./api.js";
import { icon, make } from "./dom.js";
import { attempt, complaint, field, passwordField, typed } from "./forms.js";
import { brand } from "./login.js";
import { go } from "./place.js";
import { recorder } from "./recorder.js";
import { nameOf, sends, sentence } from "./words.js";

/** @typedef {import("./api.js").Offer} Offer */

class Cameras extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #told = complaint();
  #offers = make("ul", { class: "offers" });
  #looking = make("li", { class: "note", role: "status" });
  #result = make("div", { class: "result", role: "status" });
  #form = this.#makeForm();
  /** @type {string | null} */
  #picture = null;

  connectedCallback() {
    this.#life = new AbortController();
    const first = !recorder.cameras?.length;
    const demo = make(
      "button",
      { type: "button", class: "offer" },
      icon("card"),
      make(
        "span",
        {},
        make("b", {}, "A simulated camera"),
        make("span", { class: "hint" }, "A test picture with a clock, to look around"),
      ),
    );
    demo.addEventListener("click", () => void this.#add(() => api.addDemo()));
    const search = make(
      "button",
      { type: "button", class: "offer" },
      icon("search"),
      make(
        "span",
        {},
        make("b", {}, "Look in the network"),
        make("span", { class: "hint" }, "For EasyN and Foscam cameras; takes 3 seconds"),
      ),
    );
    search.addEventListener("click", () => void this.#offer(true));
    this.replaceChildren(
      make(
        "section",
        { class: "sheet" },
        first && brand(),
        make("h1", {}, first ? "Which camera shall be watched?" : "Add a camera"),
        first &&
          make(
            "p",
            { class: "quiet" },
            "camkeep shows it here and records it, until you say otherwise.",
          ),
        this.#told,
        this.#offers,
        make("h2", {}, "Or a camera at an address"),
        this.#form,
        this.#result,
      ),
    );
    this.#offers.append(
      this.#looking,
      make("li", {}, search),
      ...(first ? [make("li", {}, demo)] : []),
    );
    void this.#offer(false);
  }

  disconnectedCallback() {
    this.#life?.abort();
    this.#forgetPicture();
  }

  /** @param {boolean} network */
  async #offer(network) {
    this.#note(network ? "Looking in the network …" : "Looking for webcams …");
    const signal = /** @type {AbortController} */ (this.#life).signal;
    try {
      const found = await api.offered(network, signal);
      for (const each of this.#offers.querySelectorAll(".found")) each.remove();
      const all = [...found.webcams, ...(found.network ?? [])];
      this.#looking.after(
        ...all.map((offer) => make("li", { class: "found" }, this.#button(offer))),
      );
      if (network && !found.network?.length) this.#note("No camera answered in the network.");
      else if (all.length) this.#looking.hidden = true;
      else this.#note(sentence(found.no_webcams ?? "No webcam is plugged into this machine"));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Trouble)) throw error;
      this.#note(sentence(error.message));
    }
  }

  /** Say it where the cameras that are found will be. @param {string} told */
  #note(told) {
    this.#looking.hidden = false;
    this.#looking.textContent = told;
  }

  /** @param {Offer} offer */
  #button(offer) {
    const what = make(
      "span",
      {},
      make("b", {}, offer.name),
      make("span", { class: "hint" }, offer.address),
    );
    const button = make("button", { type: "button", class: "offer" }, icon("camera"), what);
    button.addEventListener("click", () => {
      if (/^(\d+|\/dev\/.*)$/.test(offer.address)) {
        void this.#add(() => api.addCamera({ name: offer.name, address: offer.address }));
      } else this.#fillIn(offer); // it needs a login, most likely
    });
    return button;
  }

  /** @param {Offer} offer */
  #fillIn(offer) {
    const fields = this.#form.elements;
    for (const [name, value] of Object.entries({ name: offer.name, address: offer.address })) {
      const input = fields.namedItem(name);
      if (input instanceof HTMLInputElement) input.value = value;
    }
    const user = fields.namedItem("user");
    if (user instanceof HTMLInputElement) user.focus();
  }

  #makeForm() {
    const address = field(
      "Address",
      {
        name: "address",
        required: true,
        placeholder: "rtsp://192.168.1.20/stream1",
        autocapitalize: "none",
        autocomplete: "off",
        spellcheck: "false",
        inputmode: "url",
      },
      "rtsp://, http://, easyn://, or the number of a webcam",
    );
    const test = make("button", { type: "submit", value: "test" }, "Test");
    const form = make(
      "form",
      { class: "camera", autocomplete: "off" },
      address,
      make(
        "div",
        { class: "pair" },
        field("User of the camera", {
          name: "user",
          autocomplete: "off",
          autocapitalize: "none",
          spellcheck: "false",
          placeholder: "if it needs one",
        }),
        passwordField({ autocomplete: "off", "data-1p-ignore": true }),
      ),
      field("Name", {
        name: "name",
        maxlength: 200,
        autocomplete: "off",
        placeholder: "Front door",
      }),
      make(
        "div",
        { class: "buttons" },
        test,
        make("button", { type: "submit", class: "primary", value: "add" }, "Add"),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const wish = event.submitter instanceof HTMLButtonElement ? event.submitter.value : "test";
      void (wish === "add" ? this.#addTyped() : this.#test());
    });
    return form;
  }

  async #addTyped() {
    const values = typed(this.#form);
    await this.#add(() =>
      api.addCamera({ ...values, name: values.name ?? nameOf(values.address ?? "") }),
    );
  }

  /** @param {() => Promise<import("./api.js").Camera>} work */
  async #add(work) {
    const well = await attempt(this, this.#told, async () => {
      await work();
      await recorder.refresh();
      go({});
    });
    if (!well) this.#told.scrollIntoView({ block: "nearest" });
  }

  async #test() {
    const { name: _, ...values } = typed(this.#form);
    const signal = /** @type {AbortController} */ (this.#life).signal;
    this.#forgetPicture();
    this.#result.replaceChildren(make("p", { class: "quiet" }, "Looking at the camera …"));
    const told = make("p", { class: "complaint" });
    const well = await attempt(this, told, async () =>
      this.#report(await api.testCamera(values, signal)),
    );
    if (!well) this.#result.replaceChildren(told);
    this.#result.scrollIntoView({ block: "nearest" });
  }

  /** @param {import("./api.js").Tested} tested */
  #report(tested) {
    if (!tested.ok) {
      this.#result.replaceChildren(
        make(
          "p",
          { class: "complaint" },
          icon("trouble"),
          sentence(tested.error ?? "No picture came"),
        ),
      );
      return;
    }
    const advice = (tested.report?.advice ?? []).map((words) => make("li", {}, sentence(words)));
    this.#result.replaceChildren(
      make("p", {}, make("b", {}, "It works. "), sends(tested.report)),
      make("ul", { class: "advice" }, ...advice),
      ...(tested.picture ? [this.#shown(tested.picture, tested.report?.video)] : []),
    );
  }

  /**
   * @param {string} url of data: a JPEG, or a movie of one frame
   * @param {import("./api.js").Video | null | undefined} size
   */
  #shown(url, size) {
    const [, kind, data] = /^data:([^;,]+);base64,(.*)$/s.exec(url) ?? [];
    const bytes = Uint8Array.from(atob(data ?? ""), (letter) => letter.charCodeAt(0));
    this.#picture = URL.createObjectURL(new Blob([bytes], { type: kind }));
    const shape = { src: this.#picture, width: size?.width, height: size?.height };
    if (kind === "image/jpeg") return make("img", { ...shape, alt: "What the camera sees" });
    const video = make("video", {
      ...shape,
      playsinline: true,
      "aria-label": "What the camera sees",
    });
    video.muted = true;
    return video;
  }

  #forgetPicture() {
    if (this.#picture) URL.revokeObjectURL(this.#picture);
    this.#picture = null;
  }
}

customElements.define("camkeep-cameras", Cameras);
