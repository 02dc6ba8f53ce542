// Steering: which WAN carries latency-sensitive connections, which one the default route, and why.

import { Rows, clone, put, unfold } from "./card.js";
import { clock, span, split } from "./words.js";

const STATES = {
  default: "latency-sensitive connections use the default route",
  confirming: "the score is above the threshold; new connections move if that lasts",
  steered: "latency-sensitive connections use another WAN",
  recovering: "the WAN has recovered; connections return if that lasts",
  override: "the operator has chosen the WAN",
};
const REACHES = { up: "up", down: "down", unknown: "not proven yet" };

/** What contributes to a score, in words. */
const CONTRIBUTORS = {
  state_red: "state red",
  state_soft_red: "state soft red",
  state_yellow: "state yellow",
  delta_severe: "severe delay",
  delta_high: "high delay",
  drops_rising: "rising drops",
  backlog: "backlog",
  at_floor: "at the floor",
  collapsed: "no replies",
  assessed_red: "assessed red",
  assessed_yellow: "assessed yellow",
};

/** The card of steering; it hides itself where nothing is steered. */
export class SteeringCard {
  constructor(parent) {
    const [root, find] = clone("steering-card");
    this.root = root;
    this.field = (field) => find("field", field);
    this.targets = { steer: find("slot", "sensitive"), failover: find("slot", "default-route") };
    this.bar = root.querySelector(".bar > div");
    this.mark = root.querySelector(".bar > i");
    this.wans = new Rows(find("slot", "wans"), 4);
    this.changes = new Rows(find("slot", "changes"), 2);
    unfold(root);
    root.hidden = true;
    parent.append(root);
  }

  show(steering) {
    this.root.hidden = steering == null;
    if (steering == null) return;
    const { field } = this;
    this.root.dataset.state = steering.state;
    const observing = steering.mode === "active" ? "" : " (only observing)";
    put(field("state"), `${STATES[steering.state] ?? steering.state}${observing}`);
    field("state").title = `for ${span(steering.state_seconds)}`;
    put(field("sensitive"), steering.sensitive);
    put(field("default-route"), steering.default_route);
    const defaultWan = steering.wans[0]?.name;
    this.targets.steer.classList.toggle("steered", steering.sensitive !== defaultWan);
    this.targets.failover.classList.toggle("steered", steering.default_route !== defaultWan);
    const { score, threshold } = steering;
    put(field("score"), `score of ${steering.default_route}: ${score} of 100; latency-sensitive connections leave it from ${threshold}`);
    this.bar.style.transform = `scaleX(${score / 100})`;
    this.mark.style.left = `${threshold}%`;
    for (const decision of ["steer", "failover"]) {
      const [verb, why] = split(steering[decision].why);
      put(field(`${decision}-verb`), verb);
      put(field(decision), `${why}${because(steering[decision])}`);
    }
    this.wans.show(steering.wans.map((wan) => wanRow(wan, steering)));
    this.changes.show(steering.changes.map(changeRow));
    put(field("no-changes"), steering.changes.length > 0 ? "" : "Nothing has been moved yet.");
  }
}

function because({ blocker_text, timers }) {
  const left = Object.values(timers);
  const wait = left.length > 0 ? `, ${span(Math.ceil(Math.max(...left)))} to go` : "";
  return blocker_text ? `; ${blocker_text}${wait}` : "";
}

function wanRow({ name, reach, cannot_send_since, score, contributors, ineligible_because }, { sensitive, default_route, switches }) {
  const carries = [name === sensitive && "latency-sensitive", name === default_route && "default route"].filter(Boolean);
  const rules = switches
    .filter((rule) => rule.wan === name)
    .map((rule) => `${rule.switch} ${ruleState(rule)}`);
  const points = Object.entries(contributors).map(([code, points]) => `${CONTRIBUTORS[code] ?? code} ${points}`);
  const scored = points.length > 0 ? `score ${score}: ${points.join(", ")}` : "score 0";
  const cells = [
    name,
    cannot_send_since == null ? (REACHES[reach] ?? reach) : `no probe can be sent since ${clock(cannot_send_since)}`,
    carries.join(" and ") || "–",
    [scored, ...rules, ineligible_because && `not eligible: ${itself(ineligible_because)}`].filter(Boolean).join("; "),
  ];
  return { key: name, cells, bad: reach === "down" || ineligible_because === "the alternate is dead" };
}

/** Says of a WAN itself what steering says of "the other WAN". */
function itself(text) {
  return text.replace("the other WAN's", "its").replace("the other WAN", "it");
}

function ruleState({ enabled, pending, in_doubt, refused }) {
  if (refused) return "unusable";
  if (in_doubt) return "in doubt";
  if (enabled == null) return "not seen yet";
  return `${enabled ? "on" : "off"}${pending ? ", changing" : ""}`;
}

function changeRow({ time, kind, from, to, why }) {
  const what = kind === "failover" ? "default route" : "latency-sensitive connections";
  return {
    key: `${time} ${kind}`,
    cells: [clock(time), `${what}: ${from} → ${to}, because ${split(why)[1]}`],
    bad: false,
  };
}
