// One WAN on the page. Whatever comes from the server is set as text, never as markup.

import { Chart } from "./chart.js";
import { STATES, added, bytes, clock, delay, measured, rate, share, span, split } from "./words.js";

/** Sets an element's text, and spares the browser the work if it is the same. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Clones a template; returns its root, and a function that finds its parts. */
export function clone(id) {
  const root = document.getElementById(id).content.firstElementChild.cloneNode(true);
  return [root, (kind, name) => root.querySelector(`[data-${kind}="${name}"]`)];
}

/** Opens the lists of a card, but on a phone only the first: the page is long enough there. */
export function unfold(root) {
  const narrow = window.matchMedia("(max-width: 40rem)").matches;
  for (const list of root.querySelectorAll("details")) {
    list.open = !narrow || list.dataset.slot === "first";
  }
}

/** One direction of a WAN. */
class Direction {
  constructor(name) {
    const [root, find] = clone("direction");
    this.root = root;
    this.field = (field) => find("field", field);
    this.bar = root.querySelector(".bar > div");
    put(this.field("title"), name === "download" ? "↓ Download" : "↑ Upload");
  }

  show(view, observing) {
    const { field } = this;
    // What the traffic meets: in observe mode that is what somebody else has set.
    const limit = observing ? view?.observed_mbps : view?.desired_mbps;
    const used = limit > 0 ? Math.min(1, (view.delivery_mbps ?? 0) / limit) : 0;
    this.bar.style.transform = `scaleX(${used.toFixed(3)})`;
    put(field("delivery"), rate(view?.delivery_mbps));
    put(field("of"), limit > 0 ? `of ${rate(limit)} Mbit/s` : "Mbit/s");
    put(field("desired-title"), observing ? "Would be set to" : "Shaper rate");
    put(field("desired"), view ? `${rate(view.desired_mbps)} Mbit/s` : "–");
    put(field("observed"), enforced(view));
    field("observed").classList.toggle("differs", !observing && differs(view));
    put(field("capacity"), view?.capacity_mbps == null ? "–" : `${rate(view.capacity_mbps)} Mbit/s`);
    put(field("phase"), view?.phase.replace("_", " ") ?? "–");
    put(field("backlog"), bytes(view?.backlog_bytes));
    const state = view?.state ?? "unknown";
    this.root.dataset.state = state;
    put(field("state"), STATES[state] ?? state);
    field("state").title = view?.state_seconds != null ? `for ${span(view.state_seconds)}` : "";
    const [verb, why] = split(view?.why ?? "wait: nothing has been decided yet");
    put(field("verb"), verb);
    put(field("why"), why);
  }
}

/** The router follows within a few cycles; a smaller difference is only its way there. */
function differs(view) {
  return view?.observed_mbps != null && Math.abs(view.observed_mbps / view.desired_mbps - 1) > 0.05;
}

function enforced(view) {
  if (view?.observed_mbps == null) return "not known";
  if (view.observed_mbps === 0) return "no limit";
  return `${rate(view.observed_mbps)} Mbit/s`;
}

/** One WAN. */
export class Card {
  constructor(name, index) {
    const [root, find] = clone("wan");
    this.root = root;
    this.name = name;
    this.field = (field) => find("field", field);
    this.notes = new Rows(find("slot", "notes"), 3);
    this.reflectors = new Rows(find("slot", "reflectors"), 5);
    this.directions = { download: new Direction("download"), upload: new Direction("upload") };
    find("slot", "directions").append(...Object.values(this.directions).map((each) => each.root));

    const title = this.field("name");
    put(title, name);
    title.id = `wan-${index}`;
    root.setAttribute("aria-labelledby", title.id);
    unfold(root);
    for (const region of root.querySelectorAll(".scroll")) {
      const heading = region.parentElement.querySelector("h3").textContent;
      region.setAttribute("aria-label", `${heading} of ${name}`);
    }
    const canvas = root.querySelector("canvas");
    canvas.setAttribute("aria-label", `Last two minutes of ${name}; arrow keys move through time`);
    this.chart = new Chart(canvas, this.field("readout"));
  }

  show(wan, observing) {
    const { field } = this;
    put(field("measurement"), measured(wan));
    this.root.dataset.measurement = wan.measurement;
    for (const [name, direction] of Object.entries(this.directions)) {
      // A WAN that has decided something, but nothing about a direction, does not shape it.
      direction.root.hidden = wan.running && wan[name] === null;
      direction.show(wan[name], observing);
    }
    put(field("delta"), added(wan.delta_ms));
    put(field("rtt"), delay(wan.rtt_ms));
    put(field("baseline"), delay(wan.baseline_ms));
    put(field("jitter"), delay(wan.jitter_ms));
    put(field("shaper-legend"), observing ? "rate that would be set" : "shaper rate");
    put(field("no-notes"), wan.notes.length > 0 ? "" : "No rate has been changed yet.");
    this.notes.show(wan.notes.map(noteRow));
    this.reflectors.show(wan.reflectors.map(reflectorRow));
    this.chart.draw();
  }
}

const ARROWS = { download: "↓ down", upload: "↑ up" };

function noteRow({ time, direction, code, text }) {
  const cells = [clock(time), ARROWS[direction] ?? "both", text];
  return { key: `${time} ${direction} ${code}`, cells, bad: false };
}

function reflectorRow({ address, fresh, baseline_ms, delta_ms, loss }) {
  const cells = [
    address,
    fresh ? "yes" : "no",
    delay(baseline_ms),
    added(fresh ? delta_ms : null),
    share(loss),
  ];
  return { key: address, cells, bad: !fresh };
}

/** The rows of a table, kept by key, so that a new one does not move the text that is being read. */
export class Rows {
  constructor(body, columns) {
    this.body = body;
    this.columns = columns;
    this.rows = new Map();
  }

  show(wanted) {
    const rows = new Map(wanted.map(({ key }) => [key, this.rows.get(key) ?? this.blank()]));
    for (const [key, row] of this.rows) if (!rows.has(key)) row.remove();
    let place = this.body.firstElementChild;
    for (const { key, cells, bad } of wanted) {
      const row = rows.get(key);
      cells.forEach((text, column) => put(row.cells[column], text));
      row.classList.toggle("bad", bad);
      if (row === place) place = place.nextElementSibling;
      else this.body.insertBefore(row, place);
    }
    this.rows = rows;
  }

  blank() {
    const row = document.createElement("tr");
    for (let column = 0; column < this.columns; column += 1) row.insertCell();
    return row;
  }
}
