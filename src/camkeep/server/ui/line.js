// @ts-check
/** A WebSocket that says nothing any more once it is closed. */

export class Line {
  #socket;
  #closed = false;

  /**
   * @param {string} address
   * @param {(message: string | ArrayBuffer) => void} take
   * @param {(code: number) => void} lost called once, unless it was closed from here
   */
  constructor(address, take, lost) {
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => this.#closed || take(data));
    socket.addEventListener("close", ({ code }) => this.#closed || lost(code));
    this.#socket = socket;
  }

  /** One that is not open yet is closed when it is: browsers complain otherwise. */
  close() {
    this.#closed = true;
    const socket = this.#socket;
    if (socket.readyState !== WebSocket.CONNECTING) socket.close();
    else socket.addEventListener("open", () => socket.close());
  }
}
