// Chat page: what frames change in it, and what its buttons send. Data goes into textContent only.

import { LastingSocket } from "./socket.js";
import { Traffic } from "./traffic.js";

const find = (id) => document.getElementById(id);
const { socketUrl, ticketUrl, name: myName } = document.body.dataset;
const socket = new LastingSocket(ticketUrl ? urlWithTicket : async () => socketUrl);
const traffic = new Traffic(find("traffic"), find("travelled"));
const page = crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
let count = 0;

// A ticket opens one socket, on any host. Cookies would not be sent to a gateway in AWS.
async function urlWithTicket() {
  const csrfToken = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const options = { method: "POST", headers: { "X-CSRFToken": csrfToken } };
  const answer = await fetch(ticketUrl, options).catch(() => ({ status: 0 }));
  if (answer.status === 403) throw new Error("You are not logged in any more: load this page.");
  if (!answer.ok) throw new Error("The site gives no ticket for the socket.");
  const { ws_token: ticket } = await answer.json();
  return `${socketUrl}${socketUrl.includes("?") ? "&" : "?"}ws_token=${ticket}`;
}

// Sending

function send(action, content = {}) {
  const frame = { action, ...content, ref: `${page}-${++count}` };
  const text = JSON.stringify(frame);
  const sent = socket.send(text);
  if (sent) traffic.sent(frame, text);
  notify(sent ? "" : "The socket is not open: nothing was sent.");
  return sent;
}

find("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = find("text").value.trim();
  if (text && send("say", { text })) find("text").value = "";
  find("text").focus();
});
find("hang-up").addEventListener("click", () => send("hang_up"));
find("hurry").addEventListener("click", () => socket.hurry());

// Receiving: one function for each type of frame

const show = {
  welcome({ messages, people }) {
    messages.forEach(showMessage);
    showPeople(people);
  },
  message: showMessage,
  people: ({ people }) => showPeople(people),
  goodbye() {},
};

function receive(text) {
  const frame = JSON.parse(text);
  traffic.received(frame, text);
  if (Object.hasOwn(show, frame.type)) show[frame.type](frame);
  // Frames of the gateway itself have no type. It could not reach Django, or got a 5xx.
  else notify(`The gateway says: ${frame.message}. Your last frame was not handled.`);
}

// A welcome may repeat messages that are shown already, and may come after newer ones.
function showMessage({ id, name, text, at }) {
  const list = find("messages");
  const shown = [...list.children];
  if (shown.some((item) => Number(item.dataset.id) === id)) return;
  const item = find("message").content.firstElementChild.cloneNode(true);
  const time = item.querySelector("time");
  item.dataset.id = id;
  item.classList.toggle("mine", name === myName);
  item.style.setProperty("--hue", hue(name));
  item.querySelector(".name").textContent = name;
  item.querySelector(".text").textContent = text;
  time.dateTime = at;
  time.textContent = new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  list.insertBefore(item, shown.find((other) => Number(other.dataset.id) > id) ?? null);
  if (name === myName) item.scrollIntoView({ block: "nearest" });
}

function showPeople(people) {
  find("people").replaceChildren(...people.map(person));
}

function person(name) {
  const item = document.createElement("li");
  const label = document.createElement("bdi");
  label.textContent = name;
  item.style.setProperty("--hue", hue(name));
  item.classList.toggle("mine", name === myName);
  item.append(label);
  return item;
}

function hue(name) {
  return [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
}

function notify(text) {
  find("notice").textContent = text;
  find("notice").hidden = !text;
}

// The state of the socket

const STATES = {
  connecting: () => "Connecting",
  open: () => "Open",
  waiting: (seconds) => `Waiting ${seconds} s`,
};

socket.addEventListener("state", ({ detail: { state, seconds } }) => {
  const isNews = find("badge").dataset.state !== state;
  find("badge").dataset.state = state;
  find("badge").textContent = STATES[state](seconds);
  if (isNews) find("spoken-state").textContent = STATES[state](seconds);
  find("hurry").hidden = state !== "waiting";
  find("hang-up").disabled = find("say").querySelector("button").disabled = state !== "open";
});
socket.addEventListener("handshake", ({ detail: { url } }) => traffic.connecting(url));
socket.addEventListener("nowhere", ({ detail: { reason } }) => notify(reason));
socket.addEventListener("open", () => {
  traffic.opened();
  notify("");
  // Nothing can be sent to a page before its $connect ends. So the page asks.
  send("hello");
});
socket.addEventListener("frame", ({ detail: { text } }) => receive(text));
socket.addEventListener("close", ({ detail: { code, hasOpened } }) => {
  traffic.closed(code, hasOpened);
  // From now on, no frame says who is there.
  showPeople([]);
});

document.querySelector(".traffic").open = matchMedia("(min-width: 64rem)").matches;
if (socketUrl) socket.open();
else notify("There is no gateway. Start the demo by run.py.");
