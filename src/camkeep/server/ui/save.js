// @ts-check
/** Saving the picture that is on the screen, and showing it in a window of its own. */

import { Trouble, api } from "./api.js";
import { make } from "./dom.js";

/** @typedef {HTMLVideoElement | HTMLImageElement | HTMLCanvasElement} Drawn */

/** What of a `camkeep-live` or `camkeep-then` is on the screen. @param {Element} shown @returns {Drawn} */
export function drawn(shown) {
  const parts = /** @type {Drawn[]} */ ([...shown.querySelectorAll("canvas, video, img")]);
  const seen = parts.filter((each) => getComputedStyle(each).visibility === "visible");
  return seen[seen.length - 1] ?? parts[0];
}

/**
 * Save it as a JPEG: as the camera made it, where it sends JPEG; else the very frame that is seen.
 *
 * @param {import("./api.js").Camera} camera
 * @param {Element & {wall: number | null}} shown
 * @param {boolean} live
 * @returns {Promise<string>} the file's name. Throws Trouble
 */
export async function save(camera, shown, live) {
  const picture = drawn(shown);
  const { id, name } = camera;
  const wall = shown.wall ?? Date.now() * 1000;
  const exact = picture instanceof HTMLVideoElement;
  const blob = (exact && (await frame(picture))) || (await fetched(live ? api.snapshot(id) : api.picture(id, wall))) || (await frame(picture));
  if (!blob) throw new Trouble("there is no picture to be saved", 0);
  const file = `${name.replace(/[\\/:*?"<>|\s]+/g, "-")}-${stamp(wall)}.jpg`;
  download(blob, file);
  return file;
}

/** @param {string} address @returns {Promise<Blob | null>} */
async function fetched(address) {
  const answer = await fetch(address).catch(() => null);
  return answer?.ok ? answer.blob() : null;
}

/** @param {Drawn} picture @returns {Promise<Blob | null>} */
function frame(picture) {
  const of = /** @type {any} */ (picture); // one of three kinds, each with its own words
  const width = of.videoWidth ?? of.naturalWidth ?? of.width;
  const height = of.videoHeight ?? of.naturalHeight ?? of.height;
  if (!width || !height) return Promise.resolve(null);
  const canvas = make("canvas", { width, height });
  canvas.getContext("2d", { alpha: false })?.drawImage(picture, 0, 0);
  return new Promise((done) => {
    canvas.toBlob(done, "image/jpeg", 0.95);
  });
}

/** Local time, as files are named: 2026-11-25_14-03-05. @param {number} us */
function stamp(us) {
  return new Date(us / 1000).toLocaleString("sv-SE").replace(" ", "_").replaceAll(":", "-");
}

/** @param {Blob} blob @param {string} file */
export function download(blob, file) {
  const address = URL.createObjectURL(blob);
  const link = make("a", { href: address, download: file });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Whether this browser has windows for pictures. */
export const floats = () => document.pictureInPictureEnabled ?? false;

/**
 * Show it in a window of its own, or no more.
 *
 * @param {Element} shown goes on while the page is not seen, as long as that window is there
 */
export async function float(shown) {
  if (document.pictureInPictureElement) {
    await document.exitPictureInPicture();
    return;
  }
  const picture = drawn(shown);
  const video = picture instanceof HTMLVideoElement ? picture : await filmed(picture);
  if (!video) return;
  await video.requestPictureInPicture();
  shown.setAttribute("floating", "");
  const over = () => {
    shown.removeAttribute("floating");
    if (video !== picture) video.srcObject = null;
  };
  video.addEventListener("leavepictureinpicture", over, { once: true });
}

/** A video of what is drawn on a canvas. @param {Drawn} picture */
async function filmed(picture) {
  if (!(picture instanceof HTMLCanvasElement)) return null;
  const video = make("video");
  video.muted = true;
  video.srcObject = picture.captureStream();
  await video.play();
  return video;
}
