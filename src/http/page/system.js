// The controller itself: its parts, how they are, and what they know.

import { Rows, clone, put } from "./card.js";
import { bytes, delay, routerName, span } from "./words.js";

/** Each level in a word with a sign, because some people cannot see the colour. */
const LEVELS = { ok: "✓ ok", degraded: "! degraded", failing: "✗ failing", off: "– off" };

/** The card of the controller's parts. */
export class SystemCard {
  constructor(parent) {
    const [root, find] = clone("system-card");
    this.summary = find("field", "summary");
    this.parts = new Rows(find("slot", "parts"), 3);
    parent.append(root);
  }

  show(health) {
    const { history, steering, config, clock } = health.parts;
    const rows = [
      ...health.routers.map((router) => row(routerName(router), router, aboutRouter(router.values))),
      row("history", history, aboutHistory(history.values)),
      row("steering", steering, steering.values ? steering.values.state : "nothing is steered"),
      row("config", config, aboutConfig(config.values)),
      row("clock", clock, aboutClock(clock.values)),
      ...health.wans.map((wan) => row(`${wan.name} loop`, wan.control, aboutLoop(wan.control.values))),
    ];
    this.parts.show(rows);
    const live = health.live ? "turning" : "standing still";
    put(this.summary, `${live}, ${health.ready ? "ready" : "not ready yet"}`);
  }
}

function row(name, { status, reasons, notes }, about) {
  const text = [about, ...reasons, ...notes].filter(Boolean).join("; ");
  const cells = [name, LEVELS[status] ?? status, text];
  return { key: name, cells, bad: status === "failing" || status === "degraded" };
}

function list(...parts) {
  return parts.filter(Boolean).join(", ");
}

function ago(seconds, what) {
  return seconds != null && `${what} ${span(seconds)} ago`;
}

function aboutRouter({ identity, version, transport, last_success_age_seconds }) {
  return list(
    identity,
    version && `RouterOS ${version}`,
    transport && `by ${transport.toUpperCase()}`,
    ago(last_success_age_seconds, "answered"),
  );
}

function aboutHistory(values) {
  if (values == null) return "none is kept";
  const { rows_written, size_bytes, last_commit_age_seconds } = values;
  return list(
    `${rows_written} cycles written`,
    bytes(size_bytes),
    ago(last_commit_age_seconds, "last"),
  );
}

function aboutConfig({ sha256, age_seconds }) {
  return list(sha256.slice(0, 12) || "built in", `in force for ${span(age_seconds)}`);
}

function aboutClock({ steps }) {
  if (steps === 0) return "steady";
  return steps === 1 ? "set once since the start" : `set ${steps} times since the start`;
}

function counted(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function aboutLoop(values) {
  if (values == null) return "has not turned yet";
  const { cycles, lateness_ms, overruns, skipped_ticks } = values;
  return list(
    `cycle ${cycles}`,
    `${delay(lateness_ms)} ms late`,
    counted(overruns, "overrun"),
    `${counted(skipped_ticks, "tick")} skipped`,
  );
}
