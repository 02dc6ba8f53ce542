// The last two minutes of a WAN: both rates and the added delay over one time axis.

import { STRIP, drawStrip } from "./strip.js";
import { added, rate } from "./words.js";

/** Seconds that are shown. */
const SPAN = 120;
/** Points further apart (s) are not joined: the server was away in between. */
const GAP = 1.5;
/** Sizes in CSS pixels. */
const GUTTER = 48;
const RIGHT = 12;
const TITLE = 22;
const FOOT = 22;

/** The plots from top to bottom, with their share of the height and the least top of their axis. */
const PLOTS = [
  {
    title: "Download, Mbit/s",
    share: 3,
    least: 1,
    traffic: (p) => p.delivery_mbps[0],
    line: (p) => p.desired_mbps[0],
    dashes: (p) => p.capacity_mbps[0],
    state: (p) => p.states[0],
  },
  {
    title: "Upload, Mbit/s",
    share: 2,
    least: 1,
    traffic: (p) => p.delivery_mbps[1],
    line: (p) => p.desired_mbps[1],
    dashes: (p) => p.capacity_mbps[1],
    state: (p) => p.states[1],
  },
  { title: "Added delay, ms", share: 3, least: 20, delay: (p) => p.delta_ms },
];

const TICKS = [
  [-120, "−2 min"],
  [-90, "−90 s"],
  [-60, "−60 s"],
  [-30, "−30 s"],
  [0, "now"],
];

/** A chart on a canvas. */
export class Chart {
  constructor(canvas, readout) {
    this.canvas = canvas;
    this.readout = readout;
    this.points = [];
    this.tops = PLOTS.map(() => 0);
    this.cursor = null;
    this.frame = 0;
    this.seen = false;
    new IntersectionObserver(([entry]) => {
      this.seen = entry.isIntersecting;
      this.draw();
    }).observe(canvas);
    new ResizeObserver(() => this.draw()).observe(canvas);
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerdown", (event) => this.point(event));
    canvas.addEventListener("pointerleave", () => this.move(null));
    canvas.addEventListener("blur", () => this.move(null));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** Takes the past as the server remembers it. */
  replace(points) {
    const last = points.at(-1)?.time ?? 0;
    const newer = this.points.filter((point) => point.time > last);
    this.points = [];
    for (const point of points.concat(newer)) this.add(point);
    this.draw();
  }

  /** Takes one more point; one seen before changes nothing. */
  add(point) {
    const last = this.points.at(-1)?.time ?? 0;
    if (point.time === last) return;
    // The server's clock was set back: what lies in its future now would stop the chart.
    if (point.time < last) this.points = this.points.filter((each) => each.time < point.time);
    this.points.push(point);
    const oldest = this.points.findIndex((each) => each.time >= point.time - SPAN - GAP);
    this.points.splice(0, oldest);
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const along = (event.clientX - box.left - GUTTER) / (box.width - GUTTER - RIGHT);
    this.move(-SPAN * (1 - Math.min(1, Math.max(0, along))));
  }

  key(event) {
    const step = {
      ArrowLeft: -1,
      ArrowRight: 1,
      PageUp: -10,
      PageDown: 10,
      Home: -SPAN,
      End: SPAN,
    }[event.key];
    if (event.key === "Escape") this.move(null);
    if (step === undefined) return;
    event.preventDefault();
    this.cursor = Math.min(0, Math.max(-SPAN, Math.round(this.cursor ?? 0) + step));
    this.draw();
    this.canvas.setAttribute("aria-valuenow", this.cursor);
    this.canvas.setAttribute("aria-valuetext", this.readout.textContent);
  }

  /** Moves the cursor to so many seconds (0 or less) from the newest point, or away. */
  move(seconds) {
    this.cursor = seconds;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!this.seen || width === 0) return;
    const scale = window.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
    if (this.canvas.width !== w || this.canvas.height !== h)
      Object.assign(this.canvas, { width: w, height: h });
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.canvas);
    const colour = (name) => style.getPropertyValue(`--${name}`);
    pen.font = `12px ${style.fontFamily}`;

    const end = this.points.at(-1)?.time ?? 0;
    const area = { left: GUTTER, right: width - RIGHT, top: 0, bottom: height - FOOT };
    const x = (time) => area.right + ((time - end) / SPAN) * (area.right - area.left);
    timeAxis(pen, area, colour);
    // A direction that is not shaped has no plot.
    const newest = this.points.at(-1);
    const shown = PLOTS.filter((plot) => !newest || !plot.state || plot.state(newest) !== null);
    const shares = shown.reduce((sum, plot) => sum + plot.share, 0);
    const free = area.bottom - shown.length * TITLE;
    let top = 0;
    shown.forEach((plot) => {
      const index = PLOTS.indexOf(plot);
      const bottom = top + TITLE + (free * plot.share) / shares;
      const box = { left: area.left, right: area.right, top: top + TITLE, bottom };
      this.tops[index] = axisTop(this.points, plot, this.tops[index]);
      drawPlot(pen, plot, this.points, box, x, this.tops[index], colour);
      top = bottom;
    });
    this.drawCursor(pen, area, end, x, colour);
  }

  drawCursor(pen, area, end, x, colour) {
    if (this.cursor === null || this.points.length === 0) {
      this.describe("Point at the chart, or focus it and press ← or →, to read its values.");
      return;
    }
    const wanted = end + this.cursor;
    const nearer = (a, b) => (Math.abs(b.time - wanted) < Math.abs(a.time - wanted) ? b : a);
    const point = this.points.reduce(nearer);
    if (Math.abs(point.time - wanted) > GAP) {
      this.describe(`${Math.round(-this.cursor)} s ago: unknown.`);
    } else {
      const rates = ["↓", "↑"].map((arrow, i) =>
        point.states[i] === null
          ? ""
          : `${arrow} ${rate(point.delivery_mbps[i])} of ${rate(point.desired_mbps[i])} Mbit/s (${point.states[i].replace("_", " ")}), `,
      );
      const delay = point.delta_ms == null ? "no replies" : `delay ${added(point.delta_ms)} ms`;
      this.describe(`${Math.round(end - point.time)} s ago: ${rates.join("")}${delay}`);
    }
    const at = Math.round(x(wanted)) + 0.5;
    stroke(pen, colour("text"), 1, () => {
      pen.moveTo(at, TITLE);
      pen.lineTo(at, area.bottom);
    });
  }

  describe(text) {
    if (this.readout.textContent !== text) this.readout.textContent = text;
  }
}

/** Draws the seconds below all plots, and their lines through them. */
function timeAxis(pen, area, colour) {
  const narrow = area.right - area.left < 300;
  for (const [seconds, label] of TICKS) {
    const at = Math.round(area.right + (seconds / SPAN) * (area.right - area.left)) + 0.5;
    stroke(pen, colour("grid"), 1, () => {
      pen.moveTo(at, TITLE);
      pen.lineTo(at, area.bottom + 4);
    });
    if (narrow && (seconds === -90 || seconds === -30)) continue;
    pen.fillStyle = colour("quiet");
    pen.textBaseline = "bottom";
    pen.textAlign = seconds === 0 ? "right" : "center";
    pen.fillText(label, seconds === 0 ? area.right + RIGHT : at, area.bottom + FOOT);
  }
}

function drawPlot(pen, plot, points, whole, x, top, colour) {
  const box = plot.state ? { ...whole, bottom: whole.bottom - STRIP } : whole;
  if (plot.state) drawStrip(pen, points, plot.state, whole, x, colour, GAP);
  const y = (value) =>
    box.bottom - (Math.min(top, Math.max(0, value)) / top) * (box.bottom - box.top);
  pen.fillStyle = colour("text");
  pen.textAlign = "left";
  pen.textBaseline = "alphabetic";
  pen.fillText(plot.title, box.left, box.top - 6);
  pen.fillStyle = colour("quiet");
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const value of [0, top / 2, top]) {
    const at = Math.round(y(value)) + 0.5;
    stroke(pen, colour(value === 0 ? "axis" : "grid"), 1, () => {
      pen.moveTo(box.left, at);
      pen.lineTo(box.right, at);
    });
    pen.fillText(String(Number(value.toPrecision(3))), box.left - 6, at);
  }
  pen.save();
  pen.beginPath();
  pen.rect(box.left, box.top - 1, box.right - box.left, box.bottom - box.top + 2);
  pen.clip();
  if (plot.delay) {
    drawSilence(pen, points, plot.delay, box, x, colour("silence"));
    drawArea(pen, runs(points, plot.delay), box, x, y, colour("delay"), colour("delay-tint"));
  } else {
    drawArea(pen, runs(points, plot.traffic), box, x, y, colour("traffic"), colour("traffic-tint"));
    pen.setLineDash([4, 4]);
    for (const run of runs(points, plot.dashes))
      stroke(pen, colour("quiet"), 1.25, () => trace(pen, run, x, y));
    pen.setLineDash([]);
    for (const run of runs(points, plot.line))
      stroke(pen, colour("shaper"), 2, () => trace(pen, run, x, y));
  }
  pen.restore();
}

function drawArea(pen, series, box, x, y, line, tint) {
  for (const run of series) {
    pen.beginPath();
    trace(pen, run, x, y);
    pen.lineTo(x(run.at(-1)[0]), box.bottom);
    pen.lineTo(x(run[0][0]), box.bottom);
    pen.fillStyle = tint;
    pen.fill();
    stroke(pen, line, 1.25, () => trace(pen, run, x, y));
  }
}

/** Marks the times in which no reflector answered. */
function drawSilence(pen, points, pick, box, x, tint) {
  pen.fillStyle = tint;
  points.forEach((point, index) => {
    const before = points[index - 1]?.time ?? point.time;
    if (pick(point) != null || point.time - before > GAP) return;
    // Whole pixels: neighbours that overlap or leave a gap would show as stripes.
    const left = Math.round(x(before));
    pen.fillRect(left, box.top, Math.round(x(point.time)) - left, box.bottom - box.top);
  });
}

function trace(pen, run, x, y) {
  run.forEach(([time, value], index) =>
    index ? pen.lineTo(x(time), y(value)) : pen.moveTo(x(time), y(value)),
  );
}

function stroke(pen, colour, width, path) {
  pen.beginPath();
  path();
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.lineJoin = "round";
  pen.stroke();
}

/** Splits a series where it is unknown or the server was away. */
function runs(points, pick) {
  const all = [];
  let last = -Infinity;
  for (const point of points) {
    const value = pick(point);
    if (value == null) {
      last = -Infinity;
      continue;
    }
    if (point.time - last > GAP) all.push([]);
    all.at(-1).push([point.time, value]);
    last = point.time;
  }
  return all;
}

/** Chooses the top of an axis; it shrinks late, so that the picture does not jump about. */
function axisTop(points, { least, traffic, line, delay }, before) {
  const values = points.flatMap((point) =>
    delay ? [delay(point)] : [traffic(point), line(point)],
  );
  const highest = Math.max(least, ...values) * 1.05;
  if (highest <= before && highest > before * 0.6) return before;
  const unit = 10 ** Math.floor(Math.log10(highest));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * unit >= highest) * unit;
}
