// A page with a client in it. The network's edge is faked: WebSocket, fetch, and the clock.

import { afterEach, mock } from "node:test";

export const DATA = {
  url: "wss://gateway.example/prod?channel=lobby",
  ticketUrl: "/ws-token/",
  csrf: { header: "X-CSRFToken", token: "page-token", cookie: "csrftoken" },
};

let page = null;

class FakeWebSocket {
  readyState = 0;
  sent = [];

  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
    page.sockets.push(this);
  }

  send(text) {
    if (this.readyState !== 1) throw new Error("The socket is not open.");
    this.sent.push(text);
  }

  // The event comes later, as a browser has it.
  close() {
    if (this.readyState > 1) return;
    const code = this.readyState ? 1005 : 1006;
    this.readyState = 2;
    queueMicrotask(() => this.end(code));
  }

  // What the other end does:

  accept() {
    this.readyState = 1;
    this.onopen?.({});
  }

  bring(...frames) {
    for (const frame of frames) {
      const data = typeof frame === "string" ? frame : JSON.stringify(frame);
      if (this.readyState === 1) this.onmessage?.({ data });
    }
  }

  end(code) {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  // What was sent as JSON.
  get said() {
    return this.sent.filter((text) => text.startsWith("{")).map((text) => JSON.parse(text));
  }
}

globalThis.WebSocket = FakeWebSocket;
globalThis.fetch = (url, request) => {
  page.requests.push({ url, ...request });
  return page.answer(request);
};
globalThis.addEventListener = (...args) => page.window.addEventListener(...args);

export const { CallError, GatewaySocket, Twins, connect, delayAfter } = await import(
  "../../django_aws_api_gateway_websockets/static/django_aws_api_gateway_websockets/client.js"
);

export function answer(status, content, { headers = {}, redirected = false } = {}) {
  const json = async () => JSON.parse(typeof content === "string" ? content : JSON.stringify(content));
  const ok = status >= 200 && status < 300;
  return { status, ok, redirected, headers: new Headers(headers), json };
}

class Page {
  window = new EventTarget();
  sockets = [];
  requests = [];
  events = [];
  #tickets = 0;

  constructor(random) {
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000_000 });
    mock.method(Math, "random", () => random);
    mock.method(AbortSignal, "timeout", (milliseconds) => {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), milliseconds);
      return abort.signal;
    });
    globalThis.document = Object.assign(new EventTarget(), { cookie: "", hidden: false });
  }

  // What the ticket URL answers; a test may have another one.
  async answer() {
    this.#tickets += 1;
    return answer(200, { ws_token: `ticket-${this.#tickets}` });
  }

  async connect(data = {}, options = {}) {
    this.client = connect({ ...DATA, ...data }, options);
    for (const type of ["state", "open", "message", "dropped", "fault", "close"]) {
      this.client.addEventListener(type, (event) => this.events.push(event));
    }
    await settle();
    return this.client;
  }

  // A client whose first connection is open.
  async open(data, options) {
    await this.connect(data, options);
    this.last.accept();
    await settle();
    return this.client;
  }

  get last() {
    return this.sockets.at(-1);
  }

  get heard() {
    return this.of("message").map(({ data }) => data);
  }

  of(type) {
    return this.events.filter((event) => event.type === type);
  }

  details(type) {
    return this.of(type).map(({ detail }) => detail);
  }

  // Fractions of a second at a time, so that promises settle between timers.
  async wait(seconds, step = 0.5) {
    for (let left = seconds; left > 1e-9; left -= step) {
      mock.timers.tick(Math.round(Math.min(left, step) * 1000));
      await settle();
    }
  }

  // Wait, a second at a time, and return how long it took; or undefined after `most`.
  async waitFor(isSo, most) {
    for (let seconds = 0; seconds <= most; seconds += 1) {
      if (isSo()) return seconds;
      await this.wait(1);
    }
  }

  // A computer that sleeps: no timer runs, and the clock goes on.
  async sleep(seconds) {
    mock.timers.setTime(Date.now() + seconds * 1000);
    await settle();
  }

  async hide() {
    await this.#see(true);
  }

  async show() {
    await this.#see(false);
  }

  async #see(hidden) {
    globalThis.document.hidden = hidden;
    globalThis.document.dispatchEvent(new Event("visibilitychange"));
    await settle();
  }

  async goOnline() {
    this.window.dispatchEvent(new Event("online"));
    await settle();
  }
}

export function newPage({ random = 0.5 } = {}) {
  leave();
  page = new Page(random);
  return page;
}

export async function settle() {
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
}

// What `act` and its promises leave uncaught: a browser would write it to the console.
export async function uncaught(act) {
  const errors = [];
  process.setUncaughtExceptionCaptureCallback((error) => errors.push(error.message));
  try {
    await act();
    await settle();
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
  }
  return errors;
}

export function rejection(promise) {
  return promise.then(
    () => null,
    (error) => error,
  );
}

function leave() {
  mock.timers.reset();
  mock.reset();
}

afterEach(leave);
