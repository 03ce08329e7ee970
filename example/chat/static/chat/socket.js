// Socket that reconnects by itself. Knows nothing of the chat.
//
// It dispatches "state" (connecting, open or waiting; then with the seconds left), "handshake" (the
// URL), "open", "frame" (the text), "close" (the code, and whether the socket had been open before),
// and "nowhere" (the reason) if it could not get the URL to open.

const FIRST_WAIT = 1000; // milliseconds
const LONGEST_WAIT = 30000;

export class LastingSocket extends EventTarget {
  #findUrl;
  #socket;
  #failures = 0;
  #isWaiting = false;
  #timer;

  // Takes an async function, which is asked for the URL each time.
  constructor(findUrl) {
    super();
    this.#findUrl = findUrl;
    window.addEventListener("online", () => this.hurry());
  }

  async open() {
    clearTimeout(this.#timer);
    this.#isWaiting = false;
    this.#tell("state", { state: "connecting" });
    try {
      this.#handshake(await this.#findUrl());
    } catch (error) {
      this.#tell("nowhere", { reason: error.message });
      this.#wait();
    }
  }

  #handshake(url) {
    this.#tell("handshake", { url });
    let hasOpened = false;
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => {
      hasOpened = true;
      this.#tell("state", { state: "open" });
      this.#tell("open");
    };
    this.#socket.onmessage = ({ data }) => {
      // Not as soon as it opens: a server that accepts a socket and closes it is failing, too.
      this.#failures = 0;
      this.#tell("frame", { text: data });
    };
    this.#socket.onclose = ({ code }) => {
      this.#tell("close", { code, hasOpened });
      this.#wait();
    };
  }

  // Returns false if the socket is not open.
  send(text) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(text);
    return true;
  }

  // Don't wait any longer.
  hurry() {
    if (this.#isWaiting) this.open();
  }

  // Each failure doubles the wait. Half of it is random, so that not all pages reconnect to a
  // restarted server in the same moment.
  #wait() {
    const longest = Math.min(FIRST_WAIT * 2 ** this.#failures, LONGEST_WAIT);
    this.#failures += 1;
    this.#isWaiting = true;
    this.#count(Date.now() + longest * (0.5 + Math.random() / 2));
  }

  #count(until) {
    const left = until - Date.now();
    if (left <= 0) return this.open();
    this.#tell("state", { state: "waiting", seconds: Math.ceil(left / 1000) });
    this.#timer = setTimeout(() => this.#count(until), Math.min(left, 1000));
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
