// A WebSocket that comes back by itself. Knows nothing of the chat.
//
// It dispatches "state" (connecting, open or waiting; then with the seconds left), "open",
// "frame" (the text) and "close" (the code, and whether the socket had been open at all).

const FIRST_WAIT = 1000; // milliseconds
const LONGEST_WAIT = 30000;

export class LastingSocket extends EventTarget {
  #url;
  #socket;
  #failures = 0;
  #timer;

  constructor(url) {
    super();
    this.#url = url;
    window.addEventListener("online", () => this.hurry());
  }

  open() {
    clearTimeout(this.#timer);
    this.#tell("state", { state: "connecting" });
    let hasOpened = false;
    this.#socket = new WebSocket(this.#url);
    this.#socket.onopen = () => {
      hasOpened = true;
      this.#tell("state", { state: "open" });
      this.#tell("open");
    };
    this.#socket.onmessage = ({ data }) => {
      // Not at once when it opens: a server that lets one in only to hang up is failing, too.
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
    if (this.#socket?.readyState === WebSocket.CLOSED) this.open();
  }

  // Each failure doubles the wait. A random half of it keeps the pages of a server that went away
  // from all coming back in the same moment.
  #wait() {
    const longest = Math.min(FIRST_WAIT * 2 ** this.#failures, LONGEST_WAIT);
    this.#failures += 1;
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
