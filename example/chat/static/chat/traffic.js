// Traffic panel: the latest frames, and what the server says about them.
//
// Each frame of the server says in `due_to` which event caused it: the route that the gateway took,
// the handler that the view chose, and the `ref` by which the page recognizes its own frame.

const KEPT = 60;

const CODES = {
  1000: "closed from the server's end, or by this page",
  1001: "the gateway stopped, or its limit of 10 idle minutes or 2 hours was reached",
  1006: "lost, or refused: the gateway's console says why",
};

export class Traffic {
  #list;
  #template;
  #sent = new Map();
  #handshake;

  constructor(list, template) {
    this.#list = list;
    this.#template = template;
  }

  connecting(url) {
    this.#handshake = this.#add("sent", "handshake");
    this.#handshake.querySelector("pre").textContent = url;
  }

  // A handshake carries no ref, but $connect always goes to connect().
  opened() {
    this.#dueTo(this.#handshake, "$connect → connect()");
  }

  sent(frame, text) {
    const entry = this.#add("sent", frame.action, text);
    this.#dueTo(entry, "not answered yet");
    this.#sent.set(frame.ref, entry);
  }

  received(frame, text) {
    const entry = this.#add("received", frame.type ?? "error", text);
    if (!frame.due_to) return this.#dueTo(entry, "from the gateway itself");
    const { route, handler, ref } = frame.due_to;
    this.#dueTo(entry, `from ${handler}(), for an event on the route ${route}`);
    const mine = this.#sent.get(ref);
    if (mine) this.#dueTo(mine, `${route} → ${handler}()`);
    this.#sent.delete(ref);
  }

  closed(code, hasOpened) {
    if (!hasOpened) this.#dueTo(this.#handshake, "not accepted");
    this.#dueTo(this.#add("closed", String(code)), CODES[code] ?? "");
  }

  #add(direction, what, text = "") {
    const entry = this.#template.content.firstElementChild.cloneNode(true);
    entry.className = direction;
    entry.querySelector(".direction").textContent = direction;
    entry.querySelector("strong").textContent = what;
    entry.querySelector(".size").textContent = text && `${new Blob([text]).size} bytes`;
    entry.querySelector("pre").textContent = text;
    this.#list.prepend(entry);
    while (this.#list.children.length > KEPT) this.#list.lastElementChild.remove();
    return entry;
  }

  #dueTo(entry, text) {
    entry.querySelector(".due-to").textContent = text;
  }
}
