// The live page: the last two minutes from /recent, then four snapshots a second from /events.

import { Card, put } from "./card.js";
import { SteeringCard } from "./steering.js";
import { headline, span } from "./words.js";

/** Silence (ms) after which the connection counts as lost; snapshots come every 250 ms. */
const LOST = 3000;
/** Silence (ms) after which the connection is made anew: it may be half open. */
const RENEW = 10000;
/** Time (ms) between two attempts once the browser has given up by itself. */
const RETRY = 2000;
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

const byId = (id) => document.getElementById(id);

const steering = new SteeringCard(byId("steering"));

const page = {
  source: null,
  opened: 0,
  heard: null,
  snapshot: null,
  cards: [],
  past: new Map(),
  told: null,
  announced: null,
  candidate: { key: null, since: 0 },
  frame: 0,
};

function connect() {
  page.source?.close();
  page.opened = performance.now();
  page.source = new EventSource("events");
  page.source.onopen = recall;
  page.source.onmessage = (event) => {
    page.heard = performance.now();
    page.snapshot = JSON.parse(event.data);
    take(page.snapshot.wans);
    schedule();
  };
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

function schedule() {
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
    tell({ level: "failing", text: `Connection lost, ${last}.`, others: [], key: "lost" }, true);
    return;
  }
  if (page.snapshot === null) return;
  const { health, wans } = page.snapshot;
  const observing = health.mode === "observe";
  put(byId("mode"), observing ? "observing: nothing is written" : "active: rates are written");
  byId("mode").hidden = false;
  byId("mode").dataset.mode = health.mode;
  put(byId("about"), `wanctl ${health.version}, up for ${span(health.uptime_seconds)}`);
  tell(headline(page.snapshot), page.told === null || page.told.key === "lost");
  wans.forEach((wan, index) => page.cards[index].show(wan, observing));
  steering.show(page.snapshot.steering);
}

/** Shows a headline: numbers at once, another sentence once it has held for a while. */
function tell(said, atOnce) {
  const now = performance.now();
  if (page.candidate.key !== said.key) page.candidate = { key: said.key, since: now };
  const held = atOnce ? Infinity : now - page.candidate.since;
  if (page.told?.key !== said.key && held < SETTLE) return;
  page.told = said;
  put(byId("headline"), said.text);
  document.body.dataset.level = said.level;
  const others = byId("others");
  while (others.children.length > said.others.length) others.lastElementChild.remove();
  said.others.forEach((text, i) =>
    put(others.children[i] ?? others.appendChild(document.createElement("li")), text),
  );
  document.title = `${TITLES[said.key] ?? TITLES[said.level]} – wanctl`;
  if (page.announced === said.key || held < ANNOUNCE) return;
  page.announced = said.key;
  put(byId("announcer"), [said.text, ...said.others].join(" "));
}

setInterval(() => {
  const now = performance.now();
  const givenUp = page.source.readyState === EventSource.CLOSED && now - page.opened > RETRY;
  const halfOpen = now - Math.max(page.heard ?? 0, page.opened) > RENEW;
  if (givenUp || halfOpen) connect();
  // While snapshots come they draw the page; without them only the silence grows.
  if (now - (page.heard ?? 0) > LOST) schedule();
}, 1000);

connect();
