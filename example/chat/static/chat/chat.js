// Chat page: what frames change in it, and what its buttons send. Data goes into textContent only.

import { connect } from "../django_aws_api_gateway_websockets/client.js";
import { Traffic } from "./traffic.js";

const find = (id) => document.getElementById(id);
const socket = connect();
const traffic = new Traffic(socket, find("traffic"), find("travelled"));

// Sending

async function ask(action, content) {
  const entry = traffic.sent(action, content);
  try {
    const reply = await socket.call(action, content);
    traffic.replied(entry, reply);
    notify("");
    return reply;
  } catch (error) {
    traffic.failed(entry, error);
    notify(error.message);
  }
}

find("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = find("text").value.trim();
  if (text && (await ask("say", { text }))) find("text").value = "";
  find("text").focus();
});
find("hang-up").addEventListener("click", () => {
  traffic.sent("hang_up");
  socket.send({ action: "hang_up" });
});
find("hurry").addEventListener("click", () => socket.retry());

// Receiving

socket.addEventListener("open", async ({ detail: { continued } }) => {
  const welcome = continued ? null : await ask("hello");
  welcome?.messages.forEach(showMessage);
});
const show = { message: showMessage, people: showPeople };
socket.addEventListener("message", ({ json }) => show[json?.type]?.(json));
socket.addEventListener("fault", ({ detail }) => notify(`The gateway says: ${detail.message}.`));

// A welcome may repeat messages that are shown already, and may come after newer ones.
function showMessage({ id, name, text, at }) {
  const list = find("messages");
  const shown = [...list.children];
  if (shown.some((item) => Number(item.dataset.id) === id)) return;
  const item = find("message").content.firstElementChild.cloneNode(true);
  const time = item.querySelector("time");
  const isMine = name === document.body.dataset.name;
  item.dataset.id = id;
  item.classList.toggle("mine", isMine);
  item.style.setProperty("--hue", hue(name));
  item.querySelector(".name").textContent = name;
  item.querySelector(".text").textContent = text;
  time.dateTime = at;
  time.textContent = new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  list.insertBefore(item, shown.find((other) => Number(other.dataset.id) > id) ?? null);
  if (isMine) item.scrollIntoView({ block: "nearest" });
}

function showPeople({ people }) {
  find("people").replaceChildren(...people.map(person));
}

function person(name) {
  const item = document.createElement("li");
  const label = document.createElement("bdi");
  label.textContent = name;
  item.style.setProperty("--hue", hue(name));
  item.classList.toggle("mine", name === document.body.dataset.name);
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

function showState() {
  const { state, reason, retryAt } = socket;
  const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  find("badge").dataset.state = state;
  find("badge").textContent = state === "waiting" ? `waiting ${seconds} s` : state;
  find("hurry").hidden = !["waiting", "closed"].includes(state);
  find("hang-up").disabled = state !== "open";
  if (reason) notify(reason);
}

setInterval(showState, 1000);
socket.addEventListener("state", ({ detail: { state } }) => {
  showState();
  find("spoken-state").textContent = state;
  // From now on, no frame says who is there.
  if (state !== "open") showPeople({ people: [] });
});
showState();
document.querySelector(".traffic").open = matchMedia("(min-width: 64rem)").matches;
