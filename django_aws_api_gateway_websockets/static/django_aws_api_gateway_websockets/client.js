// Client of a WebSocket behind API Gateway: it comes back after each end, and says what was lost.
// See client.d.ts. Times are in seconds, sizes in bytes.

const LIMITS = { idle: 600, lifetime: 7200, frame: 32768, handshake: 30, overlap: 10 };
const OPTIONS = { queue: 100, queueTimeout: 30, callTimeout: 30, hideTimeout: Infinity };
const LONGEST_WAIT = 30;
const REFUSALS_BEFORE_ASKING = 3;
const ENDS = {
  1000: "The site has closed the connection.",
  1001: "The gateway's limit is reached, or it stops.",
  1005: "The connection has ended without a code.",
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

// The random part keeps pages from coming back in the same moment.
export function delayAfter(code, failures, wasStable, random = Math.random()) {
  if (wasStable && (code === 1001 || code === 1012)) return random;
  const longest = code === 1008 ? LONGEST_WAIT : Math.min(2 ** failures, LONGEST_WAIT);
  return (longest * (1 + random)) / 2;
}

// While a connection replaces another one, both bring each push. This finds the second copy.
export class Twins {
  #balances = new Map();

  constructor(seconds) {
    this.seconds = seconds;
    this.until = 0;
  }

  isSecond(text, isNewer) {
    const now = Date.now();
    if (now > this.until) this.#balances.clear();
    const [balance, at] = this.#balances.get(text) ?? [0, now];
    // An old first copy had no second one: the site knew one connection.
    const open = now - at > this.seconds * 1000 ? 0 : balance;
    const side = isNewer ? 1 : -1;
    if (now <= this.until) this.#balances.set(text, [open + side, now]);
    return open * side < 0;
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
    this.#frames.set(frame, setTimeout(expire, this.seconds * 1000));
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
  #data;
  #limits;
  #options;
  #queue;
  #twins;
  #link = null; // the connection that is open
  #attempt = null; // the one that is being made
  #replaced = new Set(); // open still, and replaced by a newer one
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
    this.#data = data;
    this.#limits = { ...LIMITS, ...data.limits, ...options.limits };
    this.#options = { ...OPTIONS, ...options };
    this.#queue = new Queue(this.#options, (frame, reason) => this.#drop(frame, reason));
    this.#twins = new Twins(this.#limits.overlap);
    globalThis.addEventListener?.("online", () => this.#wake());
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
    this.#ticker ??= setInterval(() => this.#tick(), Math.min(15000, this.#limits.idle * 25));
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
      const timer = setTimeout(() => frame.fail(`No reply within ${timeout} s.`), timeout * 1000);
      this.#calls.set(ref, frame);
      this.#put(frame);
    });
  }

  get #key() {
    return this.#data.key ?? "action";
  }

  // Sending

  #encode(frame) {
    const text = typeof frame === "string" ? frame : JSON.stringify(frame);
    const { length } = new TextEncoder().encode(text);
    const most = this.#limits.frame;
    if (length > most) throw new RangeError(`The frame has ${length} bytes, and may have ${most}.`);
    return text;
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
    link.activeAt = Date.now();
    link.pingedAt = null;
    const json = parse(text);
    if (json?.pong === true) this.#hasPongs = true;
    else if (json?.ref && (json.reply || json.error) && Object.keys(json).length === 2) {
      this.#settle(link, json);
    } else if (json?.message && json.connectionId && json.requestId) this.#blame(link, json);
    else if (text && !this.#twins.isSecond(text, link.isNewer)) {
      this.dispatchEvent(Object.assign(new MessageEvent("message", { data: text }), { json }));
    }
  }

  #settle(link, { ref, reply, error }) {
    const call = this.#calls.get(ref);
    if (reply) return call?.reply(reply);
    call?.fail(error.text, error.status);
    // Its fault may follow.
    if (error.status >= 500) link.sentAt = Date.now();
  }

  // The gateway does not say which frame Django did not answer. If there is one alone, it is clear.
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
    attempt.isNewer = !this.#link?.isNewer;
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
    const { url, ticketUrl, authentication } = this.#data;
    if (!url) throw failure("There is no gateway: the page has no URL.", { isFinal: true });
    const byCookie = authentication === "cookie";
    if (!ticketUrl || (byCookie && this.#refusals < REFUSALS_BEFORE_ASKING)) return url;
    this.#refusals = 0;
    const ticket = await fetchTicket(this.#data, this.#options.headers);
    return byCookie ? url : `${url}${url.includes("?") ? "&" : "?"}ws_token=${ticket}`;
  }

  #open(link, url) {
    const socket = (link.socket = new WebSocket(url, this.#options.protocols ?? []));
    link.timer = setTimeout(() => this.#lose(link, 1006), this.#limits.handshake * 1000);
    this.#watchTwins();
    socket.onopen = () => this.#replace(link);
    socket.onmessage = ({ data }) => this.#receive(link, data);
    socket.onclose = ({ code }) => this.#lose(link, code);
  }

  #replace(link) {
    const old = this.#link;
    clearTimeout(link.timer);
    this.#attempt = null;
    this.#link = link;
    this.#refusals = 0;
    // Between 1 h 45 and 1 h 55 of the two hours.
    link.renewAt = link.startedAt + this.#limits.lifetime * (875 + Math.random() * 83);
    if (old) {
      this.#replaced.add(old);
      this.#retireSoon(old);
    }
    this.#show();
    this.#tell("open", { continued: old?.renewAt > 0 && Date.now() >= old.renewAt });
    this.#queue.forEach((frame) => this.#write(frame) && this.#queue.remove(frame));
  }

  // What was sent before the site knew the newer one, and replies, come by the older one alone.
  #retireSoon(link) {
    setTimeout(() => {
      if (this.#callsOf(link).length) return this.#retireSoon(link);
      this.#replaced.delete(link);
      this.#lose(link, 1000);
      this.#watchTwins();
    }, this.#limits.overlap * 1000);
  }

  #watchTwins() {
    const areTwo = this.#replaced.size || (this.#link && this.#attempt);
    this.#twins.until = areTwo ? Infinity : Date.now() + this.#limits.overlap * 1000;
  }

  #lose(link, code) {
    if (link.isOver) return;
    link.isOver = true;
    clearTimeout(link.timer);
    link.socket.onmessage = null;
    link.socket.close();
    this.#callsOf(link).forEach((call) => call.fail("The connection was lost before the reply."));
    const reason = ENDS[code] ?? `The connection has ended with the code ${code}.`;
    if (link === this.#attempt) {
      this.#attempt = null;
      this.#refusals += 1;
      this.#watchTwins();
      this.#wait(reason, code);
    } else if (link === this.#link) {
      this.#link = null;
      if (this.#attempt) this.#show();
      else this.#wait(reason, code, 0, this.#wasStable(link));
    }
  }

  // A site that ends each connection at once is failing, too.
  #wasStable(link) {
    return Date.now() - link.startedAt > Math.min(10, this.#limits.lifetime / 4) * 1000;
  }

  #wait(reason, code, seconds = 0, wasStable = false) {
    if (wasStable) this.#failures = 0;
    const delay = Math.max(seconds, delayAfter(code, this.#failures, wasStable)) * 1000;
    this.#failures += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#show(reason, code, Date.now() + delay);
  }

  #end(reason, code) {
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
    const links = [this.#link, this.#attempt];
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
    if (gap > idle * 200 || isMute) link.renewAt = 0; // Something may have been missed.
    if (now >= link.renewAt) return this.#wake();
    // Timers of a hidden page run once a minute.
    if (now - link.activeAt < idle * (isHidden ? 800 : 900)) return;
    link.pingedAt = now;
    this.#write({ text: JSON.stringify({ [this.#key]: "ping" }) });
  }

  // Also beside a connection that is open and may be dead.
  #wake() {
    const isRenewing = this.#link && (this.#timer || this.#replaced.size);
    if (!this.#isPaused && !isRenewing) this.#connect();
  }

  #see() {
    if (globalThis.document.hidden) return this.#tick();
    this.#seenAt = Date.now();
    if (this.#isPaused) this.retry();
    else if (!this.#link) this.#wake();
    else this.#tick();
  }

  #pause() {
    if (this.#isClosed || this.#isPaused) return;
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

function failure(text, more) {
  return Object.assign(new Error(text), more);
}

async function fetchTicket({ ticketUrl, csrf }, headers) {
  const own = typeof headers === "function" ? await headers() : headers;
  const token = csrf && { [csrf.header]: cookie(csrf.cookie) ?? csrf.token };
  const answer = await fetch(ticketUrl, {
    method: "POST",
    headers: { ...token, ...own },
    signal: AbortSignal.timeout(LONGEST_WAIT * 1000),
  }).catch(() => {
    throw failure("The site cannot be reached.");
  });
  const content = await answer.json().catch(() => ({}));
  if (answer.ok && content.ws_token) return content.ws_token;
  throw failure(content.error ?? `The site gives no ticket (${answer.status}).`, {
    isFinal: answer.redirected || [401, 403].includes(answer.status),
    seconds: Number(answer.headers.get("Retry-After")) || 0,
  });
}

// After a login in another tab the cookie has the newer token.
function cookie(name) {
  const found = name && globalThis.document?.cookie.match(`(?:^|; )${name}=([^;]*)`);
  return found ? found[1] : undefined;
}

export function connect(source = "websocket", options) {
  const data =
    typeof source === "string" ? JSON.parse(document.getElementById(source).textContent) : source;
  return new GatewaySocket(data, options);
}
