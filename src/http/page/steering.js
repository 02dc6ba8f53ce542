// Where traffic is steered: which WAN takes calls and which the rest, and why.

import { Rows, clone, put, unfold } from "./card.js";
import { clock, span, split } from "./words.js";

const STATES = {
  default: "calls go with everything else",
  confirming: "the WAN suffers; it must last before calls leave it",
  steered: "calls go over another WAN",
  recovering: "the WAN is well again; it must last before calls return",
  override: "calls go where the operator wants them",
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
  constructor(home) {
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
    home.append(root);
  }

  show(told) {
    this.root.hidden = told == null;
    if (told == null) return;
    const { field } = this;
    this.root.dataset.state = told.state;
    const observing = told.mode === "active" ? "" : " (only observing)";
    put(field("state"), `${STATES[told.state] ?? told.state}${observing}`);
    field("state").title = `for ${span(told.state_seconds)}`;
    put(field("sensitive"), told.sensitive);
    put(field("default-route"), told.default_route);
    const home = told.wans[0]?.name;
    this.targets.steer.classList.toggle("steered", told.sensitive !== home);
    this.targets.failover.classList.toggle("steered", told.default_route !== home);
    const { score, threshold } = told;
    put(field("score"), `${told.default_route} suffers by ${score} of 100; calls leave it from ${threshold}`);
    this.bar.style.transform = `scaleX(${score / 100})`;
    this.mark.style.left = `${threshold}%`;
    for (const decision of ["steer", "failover"]) {
      const [verb, why] = split(told[decision].why);
      put(field(`${decision}-verb`), verb);
      put(field(decision), `${why}${because(told[decision])}`);
    }
    this.wans.show(told.wans.map((wan) => wanRow(wan, told)));
    this.changes.show(told.changes.map(changeRow));
    put(field("no-changes"), told.changes.length > 0 ? "" : "Nothing has been moved yet.");
  }
}

function because({ blocker_text, timers }) {
  const left = Object.values(timers);
  const wait = left.length > 0 ? `, ${span(Math.ceil(Math.max(...left)))} to go` : "";
  return blocker_text ? `; ${blocker_text}${wait}` : "";
}

function wanRow({ name, reach, cannot_send_since, score, contributors, ineligible_because }, { sensitive, default_route, switches }) {
  const takes = [name === sensitive && "calls", name === default_route && "the rest"].filter(Boolean);
  const rules = switches
    .filter((rule) => rule.wan === name)
    .map((rule) => `${rule.switch} ${ruleState(rule)}`);
  const points = Object.entries(contributors).map(([code, points]) => `${CONTRIBUTORS[code] ?? code} ${points}`);
  const suffers = points.length > 0 ? `${score}: ${points.join(", ")}` : "no";
  const cells = [
    name,
    cannot_send_since == null ? (REACHES[reach] ?? reach) : `no probe can be sent since ${clock(cannot_send_since)}`,
    takes.join(" and ") || "–",
    [suffers, ...rules, ineligible_because && `not eligible: ${itself(ineligible_because)}`].filter(Boolean).join("; "),
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
  const what = kind === "failover" ? "everything" : "calls";
  return {
    key: `${time} ${kind}`,
    cells: [clock(time), `${what}: ${from} → ${to}, because ${split(why)[1]}`],
    bad: false,
  };
}
