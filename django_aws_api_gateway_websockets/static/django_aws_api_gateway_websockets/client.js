// Client of a WebSocket behind API Gateway: it comes back after each end, and says what was lost.
// See client.d.ts. Times are in seconds, sizes in bytes.

const LIMITS = { idle: 600, lifetime: 7200, frame: 32768, handshake: 30, overlap: 10 };
const OPTIONS = { queue: 100, queueTimeout: 30, callTimeout: 30, hideTimeout: Infinity };
const LONGEST_WAIT = 30;
const ENDS = {
  1000: "The site has closed the connection.",
  1001: "The gateway's limit is reached, or it stops.",
  1005: "The connection ended without a code.",
  1006: "The connection was lost or refused.",
  1008: "The gateway refuses this client for now.",
  1009: "A frame was too large.",
  1011: "The gateway has failed.",
  1012: "The gateway restarts.",
};

export class CallError extends Error {
  constructor(text, status = 0, sent = true) {
    super(text);
    Object.assign(this, { name: "CallError", status, sent });
  }
}

// The random part keeps pages from coming back all at once.
export function delayAfter(code, failures, wasStable, random = Math.random()) {
  if (wasStable && (code === 1001 || code === 1012)) return random;
  const longest = code === 1008 ? LONGEST_WAIT : Math.min(2 ** failures, LONGEST_WAIT);
  return (longest * (1 + random)) / 2;
}

// While a connection replaces another one, both bring each push. This finds the second copy.
export class Twins {
  #firsts = new Map();

  constructor(seconds) {
    Object.assign(this, { seconds, until: 0 });
  }

  isSecond(text, link, areTwo) {
    const now = Date.now();
    if (areTwo) this.until = now + this.seconds * 1000;
    else if (now > this.until) this.#firsts.clear();
    // An old first copy has no second one: the site knew one connection.
    const firsts = this.#firsts.get(text)?.filter(({ until }) => now <= until) ?? [];
    const isSecond = firsts.some((first) => first.link !== link);
    if (isSecond) firsts.pop();
    else firsts.push({ link, until: this.until });
    this.#firsts.set(text, firsts);
    return isSecond;
  }
}

// What is sent while no connection is open.
class Queue {
  #frames = new Map();

  constructor({ queue, queueTimeout }, drop) {
    Object.assign(this, { most: queue, seconds: queueTimeout, drop });
  }

  add(frame) {
    if (this.#frames.size >= this.most) return this.drop(frame, "The queue is full.");
    const expire = () => this.remove(frame) && this.drop(frame, "No connection was open in time.");
    this.#frames.set(frame, after(this.seconds, expire));
    return true;
  }

  remove(frame) {
    clearTimeout(this.#frames.get(frame));
    return this.#frames.delete(frame);
  }

  forEach(act) {
    [...this.#frames.keys()].forEach(act);
  }
}

export class GatewaySocket extends EventTarget {
  OPEN = 1;
  reason = "";
  retryAt = null;
  #key;
  #limits;
  #options;
  #queue;
  #twins;
  #link = null; // the connection that is open
  #attempt = null; // the one that is being made
  #replaced = new Set(); // open still, beside a newer one
  #timer = null; // of the next attempt
  #ticker = null;
  #tickedAt = 0;
  #seenAt = Date.now();
  #isPaused = false;
  #isClosed = false;
  #told = "";
  #failures = 0;
  #refusals = 0;
  #hasPongs = false;
  #calls = new Map();
  #count = 0;

  constructor(data, options = {}) {
    super();
    this.data = data;
    this.#key = data.key ?? "action";
    this.#limits = { ...LIMITS, ...data.limits, ...options.limits };
    this.#options = { ...OPTIONS, ...options };
    this.#queue = new Queue(this.#options, (frame, reason) => this.#drop(frame, reason));
    this.#twins = new Twins(this.#limits.overlap);
    globalThis.addEventListener?.("online", () => {
      if (this.#link) this.#link.isDoubted = true;
      this.#wake();
    });
    globalThis.document?.addEventListener("visibilitychange", () => this.#see());
    for (const type of ["open", "message", "close"]) {
      this.addEventListener(type, (event) => this[`on${type}`]?.(event));
    }
    this.retry();
  }

  get state() {
    if (this.#isClosed) return "closed";
    if (this.#link) return "open";
    if (this.#isPaused) return "paused";
    return this.#attempt ? "connecting" : "waiting";
  }

  get readyState() {
    return { open: 1, closed: 3 }[this.state] ?? 0;
  }

  retry() {
    this.#isClosed = this.#isPaused = false;
    this.#tickedAt = Date.now();
    const { idle, lifetime } = this.#limits;
    this.#ticker ??= setInterval(() => this.#tick(), Math.min(15, idle / 40, lifetime / 50) * 1000);
    if (!this.#link) this.#connect();
  }

  close(reason = "The page has closed the connection.") {
    this.#end(reason, 1000);
  }

  send(frame) {
    return this.#put({ text: this.#encode(frame) });
  }

  call(action, content = {}, { timeout = this.#options.callTimeout } = {}) {
    return new Promise((resolve, reject) => {
      const ref = `${++this.#count}`;
      const frame = { text: this.#encode({ ...content, [this.#key]: action, ref }) };
      const finish = (settle, result) => {
        clearTimeout(timer);
        this.#calls.delete(ref);
        this.#queue.remove(frame);
        settle(result);
      };
      frame.reply = (reply) => finish(resolve, reply);
      frame.fail = (text, status) => finish(reject, new CallError(text, status, "link" in frame));
      const timer = after(timeout, () => frame.fail(`No reply within ${timeout} s.`));
      this.#calls.set(ref, frame);
      this.#put(frame);
    });
  }

  // Sending

  #encode(frame) {
    const text = typeof frame === "string" ? frame : JSON.stringify(frame);
    const { length } = new TextEncoder().encode(text);
    if (length <= this.#limits.frame) return text;
    throw new RangeError(`The frame has ${length} bytes, and may have ${this.#limits.frame}.`);
  }

  #put(frame) {
    if (this.#isClosed) return this.#drop(frame, this.reason);
    return this.#write(frame) || this.#queue.add(frame);
  }

  #write(frame) {
    const link = this.#link;
    if (link?.socket.readyState !== 1) return false;
    link.activeAt = Date.now();
    if (!frame.fail) link.sentAt = link.activeAt;
    link.socket.send(frame.text);
    frame.link = link;
    return true;
  }

  #drop(frame, reason) {
    if (frame.fail) frame.fail(reason);
    else this.#tell("dropped", { frame: frame.text, reason });
    return false;
  }

  // Receiving

  #receive(link, text) {
    Object.assign(link, { activeAt: Date.now(), pingedAt: null, isDoubted: false });
    const areTwo = this.#replaced.size || (this.#link && this.#attempt);
    const json = parse(text);
    if (json?.pong === true) this.#hasPongs = true;
    else if (json?.ref && ("reply" in json || json.error) && Object.keys(json).length === 2) {
      this.#settle(link, json);
    } else if (json?.message && json.connectionId && json.requestId) this.#blame(link, json);
    else if (text && !this.#twins.isSecond(text, link, areTwo)) {
      this.dispatchEvent(Object.assign(new MessageEvent("message", { data: text }), { json }));
    }
  }

  #settle(link, { ref, reply, error }) {
    const call = this.#calls.get(ref);
    if (!error) return call?.reply(reply);
    call?.fail(error.text, error.status);
    // Its fault follows, and is no other call's.
    if (error.status >= 500) link.sentAt = Date.now();
  }

  // The gateway does not say which frame has failed. If there is one alone, it is clear.
  #blame(link, { message, requestId }) {
    const calls = this.#callsOf(link);
    const isAlone = calls.length === 1 && !(Date.now() - link.sentAt < LONGEST_WAIT * 1000);
    if (isAlone) calls[0].fail(message, 502);
    this.#tell("fault", { message, requestId });
  }

  #callsOf(link) {
    return [...this.#calls.values()].filter((frame) => frame.link === link);
  }

  // Connecting

  async #connect() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#attempt || this.#isClosed) return;
    const attempt = (this.#attempt = { startedAt: Date.now(), activeAt: Date.now() });
    this.#show();
    try {
      const url = await this.#findUrl();
      if (attempt === this.#attempt) this.#open(attempt, url);
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.#attempt = null;
      if (error.isFinal) this.#end(error.message, 1008);
      else this.#wait(error.message, 1006, error.seconds);
    }
  }

  async #findUrl() {
    const { url, ticketUrl, authentication } = this.data;
    if (!url) throw failure("The page has no URL of a gateway.", { isFinal: true });
    const byCookie = authentication === "cookie";
    if (!ticketUrl || (byCookie && this.#refusals < 3)) return url;
    this.#refusals = 0;
    const ticket = await fetchTicket(this.data, this.#options);
    return byCookie ? url : `${url}${url.includes("?") ? "&" : "?"}ws_token=${ticket}`;
  }

  #open(link, url) {
    const socket = (link.socket = new WebSocket(url, this.#options.protocols ?? []));
    link.timer = after(this.#limits.handshake, () => this.#lose(link, 1006));
    socket.onopen = () => this.#replace(link);
    socket.onmessage = ({ data }) => this.#receive(link, data);
    socket.onclose = ({ code }) => this.#lose(link, code);
  }

  #replace(link) {
    const old = this.#link;
    clearTimeout(link.timer);
    this.#attempt = null;
    this.#link = link;
    link.openedAt = Date.now();
    this.#refusals = 0;
    // Between 1 h 45 and 1 h 55.
    link.renewAt = link.startedAt + this.#limits.lifetime * (875 + Math.random() * 83);
    if (old) {
      this.#replaced.add(old);
      this.#retireSoon(old);
    }
    this.#show();
    this.#tell("open", { continued: Boolean(old) && !old.isDoubted });
    this.#queue.forEach((frame) => this.#write(frame) && this.#queue.remove(frame));
  }

  // Replies, and what was sent before the site knew the newer one, come by the older one alone.
  #retireSoon(link) {
    after(this.#limits.overlap, () => {
      if (this.#callsOf(link).length) this.#retireSoon(link);
      else this.#lose(link, 1000);
    });
  }

  #lose(link, code) {
    this.#replaced.delete(link);
    clearTimeout(link.timer);
    link.socket.onmessage = null;
    link.socket.close();
    this.#callsOf(link).forEach((call) => call.fail("The connection was lost before the reply."));
    const reason = ENDS[code] ?? `The connection ended with the code ${code}.`;
    if (link === this.#attempt) {
      this.#attempt = null;
      this.#refusals += 1;
      this.#wait(reason, code);
    } else if (link === this.#link) {
      this.#link = null;
      if (this.#attempt) this.#show();
      else this.#wait(reason, code, 0, this.#wasStable(link));
    }
  }

  // A site that ends each connection at once is failing, too.
  #wasStable({ openedAt }) {
    return Date.now() - openedAt > Math.min(10, this.#limits.lifetime / 4) * 1000;
  }

  #wait(reason, code, seconds = 0, wasStable = false) {
    if (wasStable) this.#failures = 0;
    const delay = Math.max(seconds, delayAfter(code, this.#failures, wasStable));
    this.#failures += 1;
    clearTimeout(this.#timer);
    this.#timer = after(delay, () => this.#connect());
    this.#show(reason, code, Date.now() + delay * 1000);
  }

  #end(reason, code) {
    if (this.#isClosed) return;
    this.#stop();
    clearInterval(this.#ticker);
    this.#ticker = null;
    this.#isClosed = true;
    this.#show(reason, code);
    this.#queue.forEach((frame) => this.#queue.remove(frame) && this.#drop(frame, reason));
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }

  #stop() {
    clearTimeout(this.#timer);
    const links = [this.#link, this.#attempt, ...this.#replaced];
    this.#timer = this.#link = this.#attempt = null;
    links.forEach((link) => link?.socket && this.#lose(link, 1000));
  }

  // Watching

  #tick() {
    const now = Date.now();
    const { idle } = this.#limits;
    const gap = now - this.#tickedAt;
    const isHidden = globalThis.document?.hidden;
    this.#tickedAt = now;
    const link = this.#link;
    if (!isHidden) this.#seenAt = now;
    else if (now - this.#seenAt > this.#options.hideTimeout * 1000) return this.#pause();
    if (!link) return;
    const isMute = this.#hasPongs && link.pingedAt && now - link.pingedAt > idle * 17;
    if (gap > idle * 200 || isMute) link.isDoubted = true;
    if (link.isDoubted || now >= link.renewAt) return this.#wake();
    // Timers of a hidden page run once a minute.
    if (now - link.activeAt < idle * (isHidden ? 800 : 900)) return;
    link.pingedAt = now;
    this.#write({ text: JSON.stringify({ [this.#key]: "ping" }) });
  }

  // Also beside one that is open, and may be dead.
  #wake() {
    const isRenewing = this.#link && (this.#timer || this.#replaced.size);
    if (!this.#isPaused && !isRenewing) this.#connect();
  }

  #see() {
    this.#seenAt = Date.now();
    if (this.#isPaused) this.retry();
    else if (this.#link || globalThis.document.hidden) this.#tick();
    else this.#wake();
  }

  #pause() {
    if (this.#isPaused) return;
    this.#stop();
    this.#isPaused = true;
    this.#show("The page is hidden.");
  }

  // Telling

  #show(reason = "", code = null, retryAt = null) {
    const state = this.state;
    Object.assign(this, { reason, retryAt: state === "waiting" ? retryAt : null });
    const news = state + reason + this.retryAt;
    if (news === this.#told) return;
    this.#told = news;
    this.#tell("state", { state, reason, code, retryAt: this.retryAt });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {} // HTML, say.
}

// A browser takes longer times for none.
function after(seconds, act) {
  return setTimeout(act, Math.min(seconds * 1000, 2 ** 31 - 1));
}

function failure(text, more) {
  return Object.assign(new Error(text), more);
}

async function fetchTicket({ ticketUrl, csrf }, { headers, credentials }) {
  const own = typeof headers === "function" ? await headers() : headers;
  const token = csrf && { [csrf.header]: cookie(csrf.cookie) || csrf.token };
  const answer = await fetch(ticketUrl, {
    method: "POST",
    headers: { ...token, ...own },
    credentials,
    signal: AbortSignal.timeout(LONGEST_WAIT * 1000),
  }).catch(() => {
    throw failure("The site cannot be reached.");
  });
  const content = await answer.json().catch(() => {});
  if (answer.ok && content?.ws_token) return content.ws_token;
  throw failure(content?.error ?? `The site gives no ticket (${answer.status}).`, {
    isFinal: answer.redirected || [401, 403].includes(answer.status),
    seconds: Number(answer.headers.get("Retry-After")) || 0,
  });
}

// It has a newer token after a login in another tab.
function cookie(name) {
  return name && globalThis.document?.cookie.match(`(?:^|; )${name}=([^;]*)`)?.[1];
}

export function connect(source = "websocket", options) {
  const data =
    typeof source === "string" ? JSON.parse(document.getElementById(source).textContent) : source;
  return new GatewaySocket(data, options);
}
