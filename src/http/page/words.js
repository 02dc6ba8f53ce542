// Numbers and states as a person reads them.

const NONE = "–";
/** Added delay (ms) up to which a WAN is near its baseline. */
const NEAR = 10;

/** Formats a rate in Mbit/s with three significant digits, as the program does everywhere. */
export function rate(mbps) {
  if (mbps == null) return NONE;
  return mbps.toFixed(mbps >= 100 ? 0 : mbps >= 10 ? 1 : 2);
}

/** Formats a delay in ms with one decimal. */
export function delay(ms) {
  return ms == null ? NONE : ms.toFixed(1).replace("-", "−");
}

/** Formats a difference of delays in ms, with its sign. */
export function added(ms) {
  if (ms == null) return NONE;
  return (ms >= 0.05 ? "+" : "") + delay(Math.abs(ms) < 0.05 ? 0 : ms);
}

/** Formats a share from 0 to 1. */
export function share(part) {
  return `${(part * 100).toFixed(1)} %`;
}

/** Formats a number of bytes. */
export function bytes(count) {
  if (count == null) return NONE;
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

/** Formats a span of seconds. */
export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** Formats a Unix time as the time of day here. */
export function clock(unix) {
  return CLOCK.format(unix * 1000);
}

/** Splits "hold: at the ceiling" into what is done and why. */
export function split(why) {
  const colon = why.indexOf(": ");
  return colon < 0 ? ["", why] : [why.slice(0, colon + 1), why.slice(colon + 2)];
}

/** What each congestion state means. */
export const STATES = {
  green: "green: little or no queueing delay of its own",
  yellow: "yellow: some queueing delay",
  soft_red: "soft red: noticeable queueing delay",
  red: "red: queueing delay that breaks calls",
  unknown: "unknown: not measured",
};

/** Says how well a WAN is measured. */
export function measured({ measurement, reflectors_fresh: [fresh, all] }) {
  switch (measurement) {
    case "starting":
      return "no reflector has answered yet";
    case "reduced":
      return `only ${fresh} of ${all} reflectors answer`;
    case "collapsed":
      return `none of ${all} reflectors answers, under load`;
    case "stalled":
      return `none of ${all} reflectors answers`;
    case "cannot_send":
      return "no probe can be sent";
    case "bypass":
      return `${fresh} of ${all} reflectors answer, past the queue`;
    default:
      return `${fresh} of ${all} reflectors answer`;
  }
}

/**
 * Says in one sentence whether the links are well, and in `others` what else is wrong. Two
 * headlines with the same `key` differ in numbers at most.
 */
export function headline({ health, wans, steering }) {
  const moved = movedTraffic(steering);
  const complaints = parts(health)
    .filter(([, part]) => part.reasons.length > 0)
    .sort(([, a], [, b]) => (b.status === "failing") - (a.status === "failing"))
    .flatMap(([name, part]) => part.reasons.map((reason) => [name, part.status, reason]));
  if (complaints.length > 0) {
    const [first, ...others] = complaints.map((complaint) => sentence(...complaint)).concat(moved);
    return {
      level: complaints[0][1],
      text: first,
      others,
      key: [first, ...others].join("\n").replace(/[\d.]+/g, ""),
    };
  }
  const names = list(wans.map((wan) => wan.name));
  if (!health.ready) {
    return plain("starting", `Starting: waiting for the router and the reflectors of ${names}.`);
  }
  const [first, ...others] = wans.flatMap(troubles);
  if (first) return plain("degraded", first, [...others, ...moved]);
  const text = `${names} ${wans.length > 1 ? "are" : "is"} well: delay is near its baseline.`;
  return plain("ok", text, moved);
}

/** Says what the numbers and states that are shown for a WAN do not let pass as well. */
function troubles({ name, delta_ms, ...directions }) {
  const shown = ["download", "upload"].filter((direction) => directions[direction]);
  const within = (...states) => shown.filter((way) => states.includes(directions[way].state));
  if (delta_ms == null || shown.length === 0 || within("unknown").length > 0) {
    return [`The delay of ${name} is unknown: it is not measured.`];
  }
  const red = within("soft_red", "red");
  if (red.length > 0) {
    const are = red.length > 1 ? "are" : "is";
    return [`The ${list(red)} of ${name} ${are} congested: packets queue, and delay is up.`];
  }
  const yellow = within("yellow");
  if (yellow.length > 0) return [`The ${list(yellow)} of ${name} has some queueing delay.`];
  if (delta_ms < NEAR) return [];
  return [`The delay of ${name} is up, though neither direction counts as congested.`];
}

/** What a router is called: the name of one among several in addition. */
export function routerName({ name }) {
  return name === "router" ? name : `router ${name}`;
}

/** All parts with the names by which people know them. */
function parts({ parts, routers, wans }) {
  const own = ({ name, measurement, control, actuator }) =>
    [measurement, control, actuator].map((part) => [name, part]);
  return [
    ...wans.flatMap(own),
    ...routers.map((router) => [`The ${routerName(router)}`, router]),
    ...Object.entries(parts).map(([name, part]) => [`The ${name}`, part]),
  ];
}

/** Returns which traffic is not on the default WAN, in sentences. */
function movedTraffic(steering) {
  if (steering == null || steering.mode !== "active") return [];
  const { sensitive, default_route, wans } = steering;
  const defaultWan = wans[0]?.name;
  if (default_route !== defaultWan) return [`The default route is on ${default_route}.`];
  return sensitive === defaultWan ? [] : [`New latency-sensitive connections use ${sensitive}.`];
}

function plain(level, text, others = []) {
  return { level, text, others, key: [text, ...others].join("\n") };
}

function sentence(who, status, reason) {
  const how = status === "failing" ? "fails" : "needs attention";
  return `${who} ${how}: ${reason}${/[.?!]$/.test(reason) ? "" : "."}`;
}

function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
