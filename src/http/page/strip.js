// A direction's state over time, as a strip below its rates: the taller, the worse, so that it
// reads without colours; what was not measured is hatched.

/** Height of the strip in CSS pixels, with the gap above it. */
export const STRIP = 14;
const GAP = 3;

/** What each state fills of the strip, and the name of its colour. */
const LOOKS = {
  green: [0.25, "green"],
  yellow: [0.5, "yellow"],
  soft_red: [0.75, "soft-red"],
  red: [1, "red"],
};

/** Draws the strip at the foot of `box`, whose points lie further apart than `apart` (s) if the
    server was away in between. */
export function drawStrip(pen, points, pick, box, x, colour, apart) {
  const height = STRIP - GAP;
  for (const [from, to, state] of spans(points, pick, apart)) {
    // Whole pixels: neighbours that overlap or leave a gap would show as stripes.
    const [left, right] = [Math.round(x(from)), Math.round(x(to))];
    if (right <= box.left || right <= left) continue;
    const start = Math.max(box.left, left);
    const [share, name] = LOOKS[state] ?? [];
    if (share === undefined) {
      hatch(pen, start, right, box.bottom - height, height, colour("quiet"));
      continue;
    }
    pen.fillStyle = colour(name);
    pen.fillRect(start, box.bottom - height * share, right - start, height * share);
  }
}

/** Joins neighbours of the same state: [from, to, state]. */
function spans(points, pick, apart) {
  const all = [];
  for (let index = 1; index < points.length; index += 1) {
    const [before, point] = [points[index - 1], points[index]];
    if (point.time - before.time > apart) continue;
    const [state, last] = [pick(point), all.at(-1)];
    if (last && last[2] === state && last[1] === before.time) last[1] = point.time;
    else all.push([before.time, point.time, state]);
  }
  return all;
}

function hatch(pen, left, right, top, height, colour) {
  pen.save();
  pen.beginPath();
  pen.rect(left, top, right - left, height);
  pen.clip();
  pen.beginPath();
  for (let at = left - height - (left % 5); at < right; at += 5) {
    pen.moveTo(at, top + height);
    pen.lineTo(at + height, top);
  }
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.stroke();
  pen.restore();
}
