// A page in TypeScript that uses all of client.d.ts. It is compiled, never run: a line below
// "@ts-expect-error" is wrong on purpose, and the compiler must say so.

import {
  CallError,
  GatewaySocket,
  Twins,
  connect,
  delayAfter,
} from "../../django_aws_api_gateway_websockets/static/django_aws_api_gateway_websockets/client.js";
import type {
  EndEvent,
  FrameEvent,
  GatewaySocketEventMap,
  Limits,
  SocketData,
  SocketOptions,
  State,
  StateDetail,
} from "../../django_aws_api_gateway_websockets/static/django_aws_api_gateway_websockets/client.js";

// What the page gives

const limits: Limits = { idle: 600, lifetime: 7200, frame: 32768, handshake: 30, overlap: 10 };

const data: SocketData = {
  url: "wss://gateway.example/prod?channel=lobby",
  ticketUrl: "/ws-token/",
  authentication: "ticket",
  csrf: { header: "X-CSRFToken", token: "token", cookie: "csrftoken" },
  key: "action",
  limits: { idle: limits.idle },
};

const options: SocketOptions = {
  limits: { overlap: 3 },
  headers: async () => ({ Authorization: "Bearer 1" }),
  protocols: ["chat"],
  queue: 10,
  queueTimeout: 5,
  callTimeout: 5,
  hideTimeout: 600,
};

connect();
connect("websocket");
connect("websocket", options);
connect(data, { headers: { Authorization: "Bearer 1" } });
connect({ url: data.url, authentication: "cookie" }, { headers: () => ({ "X-Tab": "1" }) });
const socket: GatewaySocket = new GatewaySocket(data, options);

// @ts-expect-error: a page without a URL has no WebSocket
connect({ ticketUrl: "/ws-token/" });
// @ts-expect-error: there is no such authentication
connect({ url: data.url, authentication: "basic" });
connect({ url: data.url, csrf: { header: "X-CSRFToken", cookie: "csrftoken" } });
// @ts-expect-error: a CSRF header needs its token, or a cookie that has it
connect({ url: data.url, csrf: { header: "X-CSRFToken" } });
// @ts-expect-error: there is no such limit
connect(data, { limits: { connections: 500 } });
// @ts-expect-error: times are numbers of seconds
connect(data, { queueTimeout: "30 s" });
// @ts-expect-error: a header is a text
connect(data, { headers: { "X-Tab": 1 } });
// @ts-expect-error: there is no such option
connect(data, { reconnect: false });
// @ts-expect-error: it takes data
new GatewaySocket();

// What the page hears

socket.addEventListener("state", ({ detail }) => {
  const { state, reason, code, retryAt }: StateDetail = detail;
  const seconds: number = retryAt === null ? 0 : (retryAt - Date.now()) / 1000;
  show(state, `${reason} ${code} ${seconds}`);
});
socket.addEventListener("open", (event) => {
  const continued: boolean = event.detail.continued;
  if (!continued) socket.send({ action: "load" });
});
socket.addEventListener("message", ({ data, json, lastEventId }) => {
  const text: string = data + lastEventId;
  show("open", json?.type ?? text);
});
socket.addEventListener("dropped", ({ detail }) => {
  show(socket.state, detail.frame.toUpperCase() + detail.reason);
});
socket.addEventListener("fault", ({ detail }) => {
  show(socket.state, detail.message + detail.requestId);
});
socket.addEventListener(
  "close",
  function (event) {
    const again: boolean = event.code === 1008 && this.state === "closed";
    if (again) this.retry();
  },
  { once: true },
);
socket.addEventListener("of the page's own", () => {});
socket.addEventListener("of the page's own", null);

socket.onopen = ({ detail }) => show("open", `${detail.continued}`);
socket.onmessage = (event: FrameEvent) => show("open", event.data);
socket.onclose = (event: EndEvent) => show("closed", event.reason);
socket.onopen = socket.onclose = null;
socket.onmessage = undefined;

const names: (keyof GatewaySocketEventMap)[] = [
  "state",
  "open",
  "message",
  "dropped",
  "fault",
  "close",
];

// @ts-expect-error: this event tells no such thing
socket.addEventListener("open", ({ detail }) => detail.resumed);
// @ts-expect-error: a frame's text is no number
socket.addEventListener("message", ({ data }) => data.toFixed());
// @ts-expect-error: there is no such event
names.push("error");

function show(state: State, text: string): void {
  switch (state) {
    case "connecting":
    case "open":
    case "waiting":
    case "paused":
    case "closed":
      document.title = text;
      return;
    default: {
      const none: never = state; // there is no other state
      document.title = none;
    }
  }
}

// What the page does

const isTaken: boolean = socket.send({ action: "talk" }) && socket.send("text");
const isOpen: boolean = socket.readyState === socket.OPEN;
const one: 1 = socket.OPEN;
const summary: [State, string, number | null, number] = [
  socket.state,
  socket.reason,
  socket.retryAt,
  socket.readyState,
];
socket.retry();
socket.close();
socket.close("The user has left.");

interface Renamed {
  name: string;
}

export async function rename(name: string): Promise<string> {
  try {
    const reply = await socket.call<Renamed>("rename", { name }, { timeout: 5 });
    const { id } = await socket.call("rename");
    return reply.name + id;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    const status: number = error.status;
    return error.sent ? `${status} ${error.message}` : rename(name);
  }
}

// @ts-expect-error: a number is no frame
socket.send(5);
// @ts-expect-error: a call names its handler
socket.call();
// @ts-expect-error: a call's content is an object
socket.call("rename", "Ada");
// @ts-expect-error: the time-out is one of the options
socket.call("rename", {}, 5);
// @ts-expect-error: a reply is an object
socket.call<string>("rename");
// @ts-expect-error: the reply has no such field
socket.call<Renamed>("rename").then((reply) => reply.age);
// @ts-expect-error: the client alone says its state
socket.state = "open";
// @ts-expect-error: likewise
socket.reason = "";
// @ts-expect-error: likewise
socket.retryAt = null;
// @ts-expect-error: likewise
socket.readyState = 1;
// @ts-expect-error: a close has a reason, and no code
socket.close(1000);

// What is useful without a connection

const seconds: number = delayAfter(1006, 3, false) + delayAfter(1001, 0, true, 0.5);
const twins = new Twins(10);
const isSecond: boolean = twins.isSecond("text", socket, true);
const until: number = twins.until + twins.seconds;
new CallError("No.", 403, false);
new CallError("No.");

// @ts-expect-error: it depends on what has failed
delayAfter(1006);
// @ts-expect-error: it must know which connection brought the text
twins.isSecond("text");
// @ts-expect-error: an error keeps its status
new CallError("No.").status = 200;

export { isOpen, isSecond, isTaken, one, seconds, summary, until };
