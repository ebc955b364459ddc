// @ts-check
/**
 * Footage as the recorder sends it: messages (`server/api/playback.py` describes them), and when
 * the frames in a fragment are shown (ISO 14496-12 §8.8). Pure.
 */

/**
 * @typedef {object} Message
 * @property {"header" | "fragment" | "picture" | "skipped" | "error" | "end"} type
 * @property {Uint8Array<ArrayBuffer>} payload
 * @property {number} wall_us
 * @property {number} at_us
 * @property {number} duration_us
 * @property {string} codecs
 * @property {number} start_us
 * @property {number} end_us
 * @property {string} reason
 * @property {string} told
 * @property {number | null} next_us
 * @property {boolean} live
 */

const HEAD_BYTES = 8;
const MOST_BYTES = 64 * 1024 * 1024;
const DECODER = new TextDecoder();

/** Puts messages together, however they were cut. */
export class PlayReader {
  /** What came, and is not a whole message yet. @type {Uint8Array<ArrayBuffer>} */
  #left = new Uint8Array(0);

  /** The messages that are whole now. Throws where it is none of ours. @param {Uint8Array<ArrayBuffer>} bytes @returns {Message[]} */
  push(bytes) {
    const all = new Uint8Array(this.#left.length + bytes.length);
    all.set(this.#left);
    all.set(bytes, this.#left.length);
    const found = [];
    let at = 0;
    while (all.length - at >= HEAD_BYTES) {
      const head = new DataView(all.buffer, at);
      const told = at + HEAD_BYTES + head.getUint32(0);
      const end = told + head.getUint32(4);
      if (end - at > MOST_BYTES) throw new Error("no footage");
      if (end > all.length) break;
      const said = JSON.parse(DECODER.decode(all.subarray(at + HEAD_BYTES, told)));
      found.push({ ...said, payload: all.slice(told, end) });
      at = end;
    }
    this.#left = all.slice(at);
    return found;
  }
}

/** Boxes between two places: their types, and where what is in them begins and ends. @param {DataView} view @param {number} at @param {number} end */
function* boxes(view, at, end) {
  let place = at;
  while (place + 8 <= end) {
    const size = view.getUint32(place);
    if (size < 8 || place + size > end) return;
    yield /** @type {const} */ ([view.getUint32(place + 4), place + 8, place + size]);
    place += size;
  }
}

/** A box's type as a number. @param {string} word */
const type = (word) => [...word].reduce((sum, letter) => sum * 256 + letter.charCodeAt(0), 0);
const [TFHD, TFDT, TRUN] = ["tfhd", "tfdt", "trun"].map(type);

/** The first box that lies in the others, one in the other. @param {DataView} view @param {string} path @returns {readonly [number, number] | null} */
function inside(view, path) {
  /** @type {readonly [number, number]} */
  let place = [0, view.byteLength];
  for (const word of path.split(".")) {
    const found = [...boxes(view, ...place)].find(([each]) => each === type(word));
    if (!found) return null;
    place = [found[1], found[2]];
  }
  return place;
}

/**
 * Of the pictures' track, the first one: ticks of a second, and how late its frames are written.
 * @typedef {{scale: number, delay: number}} Timing
 */

/** @param {Uint8Array<ArrayBuffer>} header @returns {Timing} */
export function timingOf(header) {
  const view = viewOf(header);
  const [at] = inside(view, "moov.trak.mdia.mdhd") ?? [];
  if (at === undefined) throw new Error("no movie");
  const [list] = inside(view, "moov.trak.edts.elst") ?? [];
  const scale = view.getUint32(at + (view.getUint8(at) ? 20 : 12));
  if (list === undefined) return { scale, delay: 0 };
  const late = view.getUint8(list) ? Number(view.getBigInt64(list + 16)) : view.getInt32(list + 12);
  return { scale, delay: Math.max(0, late) };
}

/**
 * When the frames of a fragment are shown, and at last when the last of them ends: microseconds
 * of the stream's time, in order.
 *
 * @param {Uint8Array<ArrayBuffer>} fragment
 * @param {Timing} timing
 * @returns {number[]}
 */
export function timesOf(fragment, { scale, delay }) {
  const view = viewOf(fragment);
  const track = inside(view, "moof.traf");
  if (!track) throw new Error("no fragment");
  let [time, usual, last] = [0, 0, 0];
  /** @type {number[]} */
  const times = [];
  for (const [each, at] of boxes(view, ...track)) {
    const flags = view.getUint32(at) & 0xffffff;
    const optional = (/** @type {number[]} */ ...known) => 4 * known.filter((flag) => flags & flag).length;
    if (each === TFHD && flags & 8) usual = view.getUint32(at + 8 + 2 * optional(1) + optional(2));
    if (each === TFDT) time = view.getUint8(at) ? Number(view.getBigUint64(at + 4)) : view.getUint32(at + 4);
    if (each !== TRUN) continue;
    const row = optional(0x100, 0x200, 0x400, 0x800);
    let place = at + 8 + optional(1, 4);
    for (let left = view.getUint32(at + 4); left > 0; left--, place += row) {
      const length = flags & 0x100 ? view.getUint32(place) : usual;
      const shown = time - delay + (flags & 0x800 ? view.getInt32(place + row - 4) : 0);
      times.push(shown);
      last = Math.max(last, shown + length);
      time += length;
    }
  }
  times.sort((one, two) => one - two);
  return [...times, last].map((tick) => Math.round((tick * 1e6) / scale));
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
