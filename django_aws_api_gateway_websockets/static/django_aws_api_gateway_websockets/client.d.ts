/** What `{% websocket %}` leaves in the page. Times are in seconds, sizes in bytes. */
export interface SocketData {
  /** Where the gateway takes connections: `wss://...`, with `?channel=` if one is joined. */
  url: string;
  /** Where the site gives a ticket for a POST: the URL of a `WebSocketTokenView`. */
  ticketUrl?: string;
  /**
   * "ticket" (the default where there is a ticketUrl) asks for a ticket before each attempt.
   * "cookie" opens without one, and asks only after three refused handshakes, to learn why.
   */
  authentication?: "ticket" | "cookie";
  /** Django's CSRF header, and its token: the page's, or a newer one in a cookie that can be read. */
  csrf?: { header: string } & ({ token: string; cookie?: string } | { cookie: string });
  /** The key of a message that names its handler: "action" unless the view has another one. */
  key?: string;
  /** The gateway's limits, where they are not API Gateway's own. */
  limits?: Partial<Limits>;
}

/** API Gateway's limits, and how long this client waits for it. */
export interface Limits {
  /** A connection is closed when it was silent for so long: 600 s. A ping is sent before that. */
  idle: number;
  /** A connection is closed when it is so old: 7,200 s. It is replaced before that. */
  lifetime: number;
  /** The largest frame, in bytes of UTF-8: 32,768. */
  frame: number;
  /** A handshake that takes longer has failed: 30 s. */
  handshake: number;
  /** A replaced connection is kept for so long, since what was sent before may still come: 10 s. */
  overlap: number;
}

export interface SocketOptions {
  limits?: Partial<Limits>;
  /** Headers for the ticket URL, or a function that returns them: `{ Authorization: "..." }`. */
  headers?: HeadersOf | (() => HeadersOf | Promise<HeadersOf>);
  /** Of the request for a ticket: "include" sends the cookies of another origin. */
  credentials?: RequestCredentials;
  /** The subprotocols to offer. */
  protocols?: string[];
  /** The frames that wait, at most, while no connection is open: 100. */
  queue?: number;
  /** A frame that has waited for so many seconds is dropped: 30. */
  queueTimeout?: number;
  /** Seconds for the reply to a call: 30. */
  callTimeout?: number;
  /** A page that is hidden for so many seconds closes its connection until it is seen: never. */
  hideTimeout?: number;
}

type HeadersOf = Record<string, string>;

/**
 * - "connecting": a connection is being made, after a ticket for it.
 * - "open": messages come and go.
 * - "waiting": the next attempt is at `retryAt`.
 * - "paused": the page is hidden, see `hideTimeout`.
 * - "closed": no attempt is made, because the page has called `close()` or the site refuses the
 *   user; `reason` says which. `retry()` tries again.
 */
export type State = "connecting" | "open" | "waiting" | "paused" | "closed";

export interface StateDetail {
  state: State;
  /** A sentence about the latest end or failure; empty if there is none to tell. */
  reason: string;
  /** The code of the latest close; 1006 for a refused handshake too, 1008 if the site refuses. */
  code: number | null;
  /** When the next attempt is made, in milliseconds as Date.now() gives them. */
  retryAt: number | null;
}

/** A frame: its text as `data`, and as `json` what it says if it is JSON, else undefined. */
export interface FrameEvent extends MessageEvent<string> {
  readonly json: any;
}

/** The end after which nothing is tried: 1000 by `close()`, 1008 by the site's refusal. */
export interface EndEvent extends Event {
  readonly code: number;
  readonly reason: string;
}

export interface GatewaySocketEventMap {
  /** The state, or what there is to say of it, has changed. */
  state: CustomEvent<StateDetail>;
  /**
   * A connection is open. `continued` is true if it has replaced one that was open and alive:
   * nothing was missed. Otherwise, also after a sleep of the computer, load what may have changed.
   * What is sent here comes before what has waited.
   */
  open: CustomEvent<{ continued: boolean }>;
  message: FrameEvent;
  /** A frame that was to be sent is given up. */
  dropped: CustomEvent<{ frame: string; reason: string }>;
  /** The gateway got no answer of Django to a frame, and does not say to which. */
  fault: CustomEvent<{ message: string; requestId: string }>;
  close: EndEvent;
}

/** Why there is no reply to a call. */
export class CallError extends Error {
  /** The status of the view's refusal: 403, 429, 500; 502 by the gateway; 0 if no answer came. */
  readonly status: number;
  /** False if the frame never left, so that it is safe to call again. */
  readonly sent: boolean;
  constructor(text: string, status?: number, sent?: boolean);
}

/** One WebSocket that lasts. It comes back by itself until it is closed. */
export class GatewaySocket extends EventTarget {
  constructor(data: SocketData, options?: SocketOptions);
  /** What `connect` was given. A change of its `url` counts from the next connection on. */
  readonly data: SocketData;
  readonly state: State;
  /** A sentence about the latest end or failure; empty if there is none to tell. */
  readonly reason: string;
  readonly retryAt: number | null;
  /** As a WebSocket has it: 0, 1 or 3. */
  readonly readyState: number;
  readonly OPEN: 1;

  /**
   * Send a frame: an object as JSON, a text as it is. Returns false if it is dropped at once.
   * While no connection is open it waits. Throws RangeError above `limits.frame`.
   *
   * A frame that is sent in the moment in which a connection is lost may be lost. `call` tells.
   */
  send(frame: object | string): boolean;

  /**
   * Send a message to a handler, and return what that returns.
   * Rejects with CallError, or with RangeError above `limits.frame`.
   */
  call<Reply extends object = Record<string, any>>(
    action: string,
    content?: object,
    options?: { timeout?: number },
  ): Promise<Reply>;

  /** Try now instead of waiting; also after the state "closed". */
  retry(): void;

  /** Close for good. */
  close(reason?: string): void;

  onopen: ((event: GatewaySocketEventMap["open"]) => void) | null | undefined;
  onmessage: ((event: FrameEvent) => void) | null | undefined;
  onclose: ((event: EndEvent) => void) | null | undefined;
  addEventListener<Name extends keyof GatewaySocketEventMap>(
    type: Name,
    listener: (this: GatewaySocket, event: GatewaySocketEventMap[Name]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/**
 * Open the page's WebSocket. `source` is the id of what `{% websocket %}` has left in the page, or
 * an object of the same content.
 */
export function connect(source?: string | SocketData, options?: SocketOptions): GatewaySocket;

/** Seconds before the next attempt, after a close code and so many failures in a row. */
export function delayAfter(
  code: number,
  failures: number,
  wasStable: boolean,
  random?: number,
): number;

/** Finds the second copy of a text that two connections bring within `seconds`. */
export class Twins {
  constructor(seconds: number);
  seconds: number;
  /** A first copy is remembered until then, in milliseconds as Date.now() gives them. */
  until: number;
  /** Whether another connection than this `link` brought this copy's first. */
  isSecond(text: string, link: unknown, areTwo: boolean): boolean;
}
