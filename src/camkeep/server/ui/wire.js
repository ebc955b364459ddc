// @ts-check
/** The messages of a camera's live socket (`server/live/socket.py` describes them). Pure. */

const HEAD_BYTES = 24;
const KINDS = /** @type {const} */ (["initialization", "fragment", "picture"]);

/**
 * A binary message. Times are microseconds: `wall` since 1970, `time` in the stream.
 *
 * @typedef {object} Frame
 * @property {"initialization" | "fragment" | "picture"} kind
 * @property {boolean} picture whether there is a picture in it
 * @property {number} header number of the header that it belongs to, modulo 65536
 * @property {number} duration a guess
 * @property {number} wall
 * @property {number} time
 * @property {Uint8Array<ArrayBuffer>} data
 */

/** @typedef {{type: "state", state: string, told: string}} StateSaid */
/**
 * @typedef {object} HeaderSaid
 * @property {"header"} type
 * @property {number} header
 * @property {string} mime
 * @property {number} width
 * @property {number} height
 * @property {boolean} sound
 * @property {string[]} codecs
 * @property {string} stream
 * @property {number} now_us the recorder's clock
 */
/** @typedef {{type: "skipped", frames: number}} SkippedSaid */
/** @typedef {{type: "end", why: string, told: string}} EndSaid */
/** @typedef {StateSaid | HeaderSaid | EndSaid | SkippedSaid} Said */

/**
 * A binary message; null for one of a kind that is not known here.
 *
 * @param {ArrayBuffer} message
 * @returns {Frame | null}
 */
export function frameOf(message) {
  if (message.byteLength < HEAD_BYTES) return null;
  const view = new DataView(message);
  const kind = KINDS[view.getUint8(0)];
  if (!kind) return null;
  return {
    kind,
    picture: (view.getUint8(1) & 2) !== 0,
    header: view.getUint16(2),
    duration: view.getUint32(4),
    wall: Number(view.getBigInt64(8)),
    time: Number(view.getBigInt64(16)),
    data: new Uint8Array(message, HEAD_BYTES),
  };
}

/**
 * A text message; null for one of a type that is not known here.
 *
 * @param {string} message
 * @returns {Said | null}
 */
export function saidBy(message) {
  const said = JSON.parse(message);
  return ["state", "header", "end", "skipped"].includes(said.type) ? said : null;
}
