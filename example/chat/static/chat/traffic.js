// Traffic panel: the latest frames, and what the server says about them.
//
// Each frame of the server says in `due_to` which event caused it: the route that the gateway took,
// and the handler that the view chose.

const KEPT = 60;

export class Traffic {
  #list;
  #template;

  constructor(socket, list, template) {
    this.#list = list;
    this.#template = template;
    socket.addEventListener("open", ({ detail }) => {
      this.#add("sent", "handshake", detail.continued ? "replaces an older connection" : "");
    });
    socket.addEventListener("message", ({ data, json }) => {
      const { route, handler } = json.due_to;
      this.#add("received", json.type, `from ${handler}(), for an event on the route ${route}`, data);
    });
    socket.addEventListener("state", ({ detail: { code, reason } }) => {
      if (code) this.#add("closed", String(code), reason);
    });
  }

  sent(action, content = {}) {
    return this.#add("sent", action, "not answered yet", JSON.stringify({ action, ...content }));
  }

  replied(entry, { due_to: { route, handler } }) {
    entry.querySelector(".due-to").textContent = `${route} → ${handler}(), which has replied`;
  }

  failed(entry, { status, message }) {
    entry.querySelector(".due-to").textContent = `${status || "no reply"}: ${message}`;
  }

  #add(direction, what, dueTo, text = "") {
    const entry = this.#template.content.firstElementChild.cloneNode(true);
    entry.className = direction;
    entry.querySelector(".direction").textContent = direction;
    entry.querySelector("strong").textContent = what;
    entry.querySelector(".size").textContent = text && `${new Blob([text]).size} bytes`;
    entry.querySelector(".due-to").textContent = dueTo;
    entry.querySelector("pre").textContent = text;
    this.#list.prepend(entry);
    while (this.#list.children.length > KEPT) this.#list.lastElementChild.remove();
    return entry;
  }
}
