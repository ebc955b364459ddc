// @ts-check
/**
 * The recorder's API as the page uses it. What goes wrong becomes a `Trouble`, whose message is a
 * sentence for the person: the recorder's own, where it answered.
 */

/** @typedef {{id: string | null, name: string, role: "viewer" | "operator" | "admin", how: string}} Person */
/** @typedef {{user: Person | null, accounts: boolean, code_wanted: boolean}} Me */
/** @typedef {{codec: string, codec_string: string, width: number, height: number}} Video */
/** @typedef {{name: "main" | "sub", video: Video | null, audio: object | null}} Stream */
/**
 * @typedef {object} Camera
 * @property {string} id
 * @property {string} name
 * @property {boolean} watched
 * @property {string} state
 * @property {string} told
 * @property {boolean} recording
 * @property {string | null} clip
 * @property {number} pre_roll_s
 * @property {"easyn" | "webcam" | null} controls
 * @property {Stream[]} streams
 */
/** @typedef {{id: string, name: string, start_us: number, end_us: number | null}} Clip */
/** @typedef {{did: string, recording: boolean, clip: Clip | null, download: string | null}} Pressed */
/**
 * @typedef {object} Report
 * @property {Video | null} video
 * @property {object | null} audio
 * @property {number | null} measured_fps
 * @property {string[]} advice
 */
/** @typedef {{start_us: number, end_us: number, told: string, cause: string, lasting: boolean, wanted: boolean}} GapTold */
/** @typedef {Clip & {held: boolean}} ClipMark */
/** @typedef {{camera: string, since_us: number, spans: [number, number][], gaps: GapTold[], removed: [number, number][], clips: ClipMark[]}} CameraTime */
/** @typedef {{resolution_us: number, now_us: number, cameras: CameraTime[]}} Timeline */
/** @typedef {{time_us: number, kind: string, camera: string | null, told: string, detail: Record<string, unknown>}} EventTold */

/**
 * @typedef {object} Setting of a camera: `range` is from, to, step
 * @property {string} name
 * @property {string} label
 * @property {string} kind
 * @property {[number, number, number]} range
 * @property {[number, string][]} menu
 * @property {number | null} value
 * @property {boolean} writable
 * @property {boolean} active
 */
/** @typedef {{kind: "easyn" | "webcam", actions: string[], settings: Setting[]}} Controls */

const ROOT = "/api/v1";
const PATIENCE_MS = 30_000;

/** Something did not work; `message` says what to a person. */
export class Trouble extends Error {
  /**
   * @param {string} told
   * @param {number} status 0 where the recorder did not answer at all
   * @param {string} [kind]
   */
  constructor(told, status, kind = "") {
    super(told);
    this.status = status;
    this.kind = kind;
  }
}

/** How far the recorder's clock is ahead of this machine's, in milliseconds, as far as we know. */
let ahead = 0;

/** The recorder's clock, in milliseconds since 1970. */
export function now() {
  return Date.now() + ahead;
}

/**
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {unknown} [body]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
async function ask(method, path, body, signal) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  /** @type {RequestInit} */
  const wish = { method, signal: signal ? AbortSignal.any([signal, patience]) : patience };
  if (method !== "GET") {
    wish.keepalive = true; // a camera's stop goes out even when the page is closed
    wish.headers = { "content-type": "application/json" };
    wish.body = JSON.stringify(body ?? {});
  }
  let answer;
  try {
    answer = await fetch(ROOT + path, wish);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Trouble("The recorder does not answer.", 0);
  }
  setClock(answer.headers.get("date"));
  if (!answer.ok) throw await troubleOf(answer);
  return answer.status === 204 ? null : answer.json();
}

/** @param {string | null} date whole seconds: a smaller difference is none */
function setClock(date) {
  const theirs = date ? Date.parse(date) : NaN;
  const difference = theirs - Date.now();
  if (Math.abs(difference) < 2000) ahead = 0;
  else if (!Number.isNaN(difference)) ahead = difference;
}

/** @param {Response} answer */
export async function troubleOf(answer) {
  try {
    const { detail, title, type } = await answer.json();
    return new Trouble(String(detail || title), answer.status, String(type));
  } catch {
    return new Trouble(`The recorder answered ${answer.status}.`, answer.status);
  }
}

export { ask as call };

/** @param {string} id */
const camera = (id) => `/cameras/${encodeURIComponent(id)}`;

export const api = {
  /** @returns {Promise<Me>} */
  me: () => ask("GET", "/me"),
  /** @param {{name: string, password: string}} login @returns {Promise<Me>} */
  login: (login) => ask("POST", "/login", login),
  /** @param {{name: string, password: string, code?: string}} wanted @returns {Promise<Me>} */
  setup: (wanted) => ask("POST", "/setup", wanted),
  /** @returns {Promise<void>} */
  logout: () => ask("POST", "/logout"),
  /** @returns {Promise<Camera[]>} */
  cameras: async () => (await ask("GET", "/cameras")).cameras,
  /** @param {string} id @param {boolean} record @returns {Promise<Pressed>} */
  press: (id, record) => ask("POST", `${camera(id)}/recording`, { record }),
  /** About how large the clip is that is being recorded. @param {string} id @returns {Promise<number | null>} */
  recorded: async (id) => (await ask("GET", `${camera(id)}/recording`)).bytes,
  /** @param {string} id @returns {Promise<Controls>} */
  controls: (id) => ask("GET", `${camera(id)}/controls`),
  /** @param {string} id @param {Record<string, unknown>} action */
  control: (id, action) => ask("POST", `${camera(id)}/controls`, action),
  /** The newest picture. @param {string} id */
  snapshot: (id) => `${ROOT}${camera(id)}/snapshot.jpg`,
  /** @param {string} id @returns {Promise<Clip>} */
  clip: (id) => ask("GET", `/clips/${encodeURIComponent(id)}`),
  /** What is kept of those cameras. @param {string[]} ids @param {number} from @param {number} to @returns {Promise<Timeline>} */
  timeline: (ids, from, to) => ask("GET", `/timeline?from=${from}&to=${to}&cameras=${ids}`),
  /** @param {string[]} ids @param {number} at @param {boolean} back @returns {Promise<{at_us: number | null, gap: GapTold | null, removed: boolean}>} */
  nextFootage: (ids, at, back) =>
    ask("GET", `/timeline/next?at=${at}&cameras=${ids}&direction=${back ? "back" : "forward"}`),
  /** What happened to cameras between two instants, newest first. @param {number} from @param {number} to @param {number} most @returns {Promise<EventTold[]>} */
  happened: async (from, to, most) =>
    (await ask("GET", `/events?from=${from}&to=${to}&limit=${most}&kind=state&kind=recording&kind=storage`)).events,
  /** The picture of an instant. @param {string} id @param {number} at */
  picture: (id, at) => `${ROOT}${camera(id)}/picture.jpg?at=${Math.round(at)}`,
  /** Whether the recorder has another version of this page: its digest stands in our address. */
  newer: async () => {
    const answer = await fetch("/", { method: "HEAD", cache: "no-cache" }).catch(() => null);
    const tag = answer?.headers.get("etag")?.replaceAll('"', "");
    return Boolean(tag) && !import.meta.url.includes(`/${tag}/`);
  },
  /** Where events come from. */
  events: `${ROOT}/events/stream?kind=state&kind=recording&kind=settings&kind=storage`,
  /** @param {string} id @param {string} stream */
  mjpeg: (id, stream) => `${ROOT}${camera(id)}/live.mjpeg?stream=${stream}`,
  /** @param {string} id @param {string} query the address of its live socket */
  socket: (id, query) => {
    const url = new URL(`${ROOT}${camera(id)}/live${query}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    return url.href;
  },
};
