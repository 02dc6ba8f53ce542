// The live page: the last two minutes from /recent, then four snapshots a second from /events.

import { Card, put } from "./card.js";
import { SteeringCard } from "./steering.js";
import { SystemCard } from "./system.js";
import { headline, span } from "./words.js";

/** Silence (ms) after which the connection counts as lost; snapshots come every 250 ms. */
const LOST = 3000;
/** Silence (ms) after which the connection is made anew: it may be half open. */
const RENEW = 10000;
/** Time (ms) between two attempts once the server has turned the stream of events down. */
const RETRY = 30000;
/** Time (ms) between two questions while there is no stream of events. */
const POLL = 1000;
/** Time (ms) between two drawings for those who want little motion. */
const CALM = 1000;
/** Time (ms) for which a headline must hold before it replaces another: no flicker. */
const SETTLE = 1000;
/** Time (ms) for which it must hold before it is read out, which is harder to ignore. */
const ANNOUNCE = 4000;

/** What the tab says, by the key of the headline or its level. */
const TITLES = {
  lost: "connection lost",
  ok: "well",
  starting: "starting",
  degraded: "attention",
  failing: "failing",
};

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

const byId = (id) => document.getElementById(id);

const steering = new SteeringCard(byId("rest"));
const system = new SystemCard(byId("rest"));

const page = {
  source: null,
  opened: 0,
  heard: null,
  snapshot: null,
  cards: [],
  past: new Map(),
  shown: null,
  announced: null,
  candidate: { key: null, since: 0 },
  frame: 0,
  drawn: -Infinity,
};

function connect() {
  page.source?.close();
  page.opened = performance.now();
  page.source = new EventSource("events");
  page.source.onopen = recall;
  page.source.onmessage = (event) => hear(JSON.parse(event.data));
}

function hear(snapshot) {
  page.heard = performance.now();
  page.snapshot = snapshot;
  take(snapshot.wans);
  schedule();
}

/** Asks for a snapshot: the server has no seat left for another listener, or is away. */
async function poll() {
  try {
    const answer = await fetch("status");
    if (!answer.ok) return;
    if (page.heard === null) await recall();
    hear(await answer.json());
  } catch {
    // The silence grows, and says so.
  }
}

/** Takes what happened while this page was not listening. */
async function recall() {
  try {
    const answer = await fetch("recent");
    if (!answer.ok) return;
    for (const [name, points] of await answer.json()) {
      page.cards.find((card) => card.name === name)?.chart.replace(points);
      page.past.set(name, points);
    }
  } catch {
    // The server went away again; the stream of events notices that too, and tries again.
  }
}

/** Gives every WAN its card; a server with other WANs gets other cards. */
function take(wans) {
  const same =
    wans.length === page.cards.length && wans.every((wan, i) => wan.name === page.cards[i].name);
  if (!same) {
    page.cards = wans.map((wan, index) => new Card(wan.name, index));
    page.cards.forEach((card) => card.chart.replace(page.past.get(card.name) ?? []));
    byId("wans").replaceChildren(...page.cards.map((card) => card.root));
  }
  wans.forEach((wan, index) => wan.newest && page.cards[index].chart.add(wan.newest));
}

/** Draws with the next frame, or for those who want little motion with the next second. */
function schedule() {
  const now = performance.now();
  if (calm.matches && now - page.drawn < CALM) return;
  page.drawn = now;
  page.frame ||= requestAnimationFrame(() => {
    page.frame = 0;
    show();
  });
}

function show() {
  // Times are counted from the loading of the page.
  const silent = performance.now() - (page.heard ?? 0);
  const lost = silent > LOST;
  document.body.classList.toggle("lost", lost);
  if (lost) {
    const last = page.heard === null ? "no data yet" : `last data ${span(silent / 1000)} ago`;
    present({ level: "failing", text: `Connection lost, ${last}.`, others: [], key: "lost" }, true);
    return;
  }
  if (page.snapshot === null) return;
  const { health, wans } = page.snapshot;
  const observing = health.mode === "observe";
  put(byId("mode"), observing ? "observe mode: nothing is written" : "active: rates are written");
  byId("mode").hidden = false;
  byId("mode").dataset.mode = health.mode;
  put(byId("about"), `wanctl ${health.version}, up for ${span(health.uptime_seconds)}`);
  present(headline(page.snapshot), page.shown === null || page.shown.key === "lost");
  wans.forEach((wan, index) => page.cards[index].show(wan, observing));
  steering.show(page.snapshot.steering);
  system.show(health);
}

/** Shows a headline: numbers at once, another sentence once it has held for a while. */
function present(news, atOnce) {
  const now = performance.now();
  if (page.candidate.key !== news.key) page.candidate = { key: news.key, since: now };
  const held = atOnce ? Infinity : now - page.candidate.since;
  if (page.shown?.key !== news.key && held < SETTLE) return;
  page.shown = news;
  put(byId("headline"), news.text);
  document.body.dataset.level = news.level;
  const others = byId("others");
  while (others.children.length > news.others.length) others.lastElementChild.remove();
  news.others.forEach((text, i) =>
    put(others.children[i] ?? others.appendChild(document.createElement("li")), text),
  );
  document.title = `${TITLES[news.key] ?? TITLES[news.level]} – wanctl`;
  if (page.announced === news.key || held < ANNOUNCE) return;
  page.announced = news.key;
  put(byId("announcer"), [news.text, ...news.others].join(" "));
}

setInterval(() => {
  const now = performance.now();
  const refused = page.source.readyState === EventSource.CLOSED;
  const silent = now - Math.max(page.heard ?? 0, page.opened);
  const isStale = refused ? now - page.opened > RETRY : silent > RENEW;
  if (isStale) connect();
  else if (refused) poll();
  // While snapshots come they draw the page; without them only the silence grows.
  if (now - (page.heard ?? 0) > LOST) schedule();
}, POLL);

connect();
