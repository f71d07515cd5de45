// SPDX-License-Identifier: MIT
// The timeline: lanes of slices [task, begin, end], sorted by begin, on a canvas.

// A task that did not return gets room to be seen.
const hung = tasks.core.some((core, task) => core >= 0 && tasks.end[task] < 0);
const end_ns = data.last_ns ?? 0, last = hung ? Math.max(end_ns * 1.25, end_ns + 1000) : end_ns;
function lanesOf(showIdle) {
  const cores = new Map(), aicpus = new Map();
  const add = (lanes, key, slice) => { if (!lanes.has(key)) lanes.set(key, []); lanes.get(key).push(slice); };
  for (let task = 0; task < count; ++task) {
    if (!ran(task)) continue;
    add(cores, tasks.core[task], [task, tasks.start[task], tasks.end[task] < 0 ? last : tasks.end[task]]);
    add(aicpus, tasks.aicpu[task], [task, tasks.dispatch[task], tasks.start[task]]);
  }
  if (showIdle) for (let core = 0; core < stats.cores; ++core) if (!cores.has(core)) cores.set(core, []);
  const lane = (name, slices) => ({ name, slices: slices.sort((a, b) => a[1] - b[1]) });
  const sorted = (lanes) => [...lanes.entries()].sort((a, b) => a[0] - b[0]);
  return [...sorted(aicpus).map(([id, slices]) => ({ ...lane(`AICPU ${id}`, slices), dispatch: true })),
          ...sorted(cores).map(([id, slices]) => lane(coreName(id), slices))];
}

const canvas = byId("timeline"), context = canvas.getContext("2d");
const LEFT = 108, TOP = 24, ROW = 22;
let lanes = lanesOf(false), from = 0, to = Math.max(1, last), selected = -1, matches = null, match_at = -1;
let frame = 0;
const draw = () => { if (!frame) frame = requestAnimationFrame(() => { frame = 0; paint(); }); };

function css(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
function paint() {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = TOP + ROW * Math.max(1, lanes.length) + 6;
  canvas.style.height = height + "px";
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const colours = { ink: css("--ink"), faint: css("--faint"), line: css("--line"), dim: css("--dim"), mark: css("--mark"), panel: css("--panel") };
  context.fillStyle = colours.panel;
  context.fillRect(0, 0, width, height);
  const scale = (width - LEFT) / (to - from);
  const x = (ns) => LEFT + (ns - from) * scale;
  drawAxis(width, height, x, colours);
  lanes.forEach((lane, i) => drawLane(lane, TOP + i * ROW, x, scale, colours));
  context.fillStyle = colours.panel;
  context.fillRect(0, TOP, LEFT - 4, height);
  context.fillStyle = colours.ink;
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  lanes.forEach((lane, i) => context.fillText(lane.name, 8, TOP + i * ROW + ROW / 2));
  if (!lanes.length) context.fillText(data.tasks ? "no task ran" : "this run left no timeline", LEFT, TOP + ROW / 2);
}
function drawAxis(width, height, x, colours) {
  const span = to - from, rough = span / Math.max(2, (width - LEFT) / 110);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= rough);
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
    context.fillStyle = colours.line;
    context.fillRect(x(t), TOP - 6, 1, height);
    context.fillStyle = colours.faint;
    context.fillText(time(t), x(t) + 3, 10);
  }
}
// Slices narrower than a pixel share it: it has the colour of the longest and is the paler, the less of it they
// fill. So a lane never costs more than its width, and one that is mostly idle does not look busy.
function drawLane(lane, y, x, scale, colours) {
  const { slices } = lane, opaque = lane.dispatch ? 0.55 : 1;
  const colourOfTask = (task) => (matches && !matches.has(task) && task !== selected ? colours.dim : colourOf(tasks.kernel[task]));
  let low = 0, high = slices.length;
  while (low < high) {  // the first slice that may still be seen: they do not overlap in a core's lane
    const middle = (low + high) >> 1;
    if (slices[middle][2] < from) low = middle + 1; else high = middle;
  }
  let pixel = -1, filled = 0, longest = 0, longest_task = -1;
  const drawPixel = () => {
    if (longest_task < 0) return;
    context.globalAlpha = opaque * (0.25 + 0.75 * Math.min(1, filled));
    context.fillStyle = colourOfTask(longest_task);
    context.fillRect(pixel, y + 2, 1, ROW - 4);
    longest_task = -1;
  };
  for (let i = low; i < slices.length && slices[i][1] <= to; ++i) {
    const [task, begin, end] = slices[i], length = (end - begin) * scale;
    const special = task === selected || (matches && matches.has(task));
    const left = Math.max(x(begin), LEFT);
    if (length < 1 && !special) {
      if (Math.floor(left) !== pixel) {
        drawPixel();
        [pixel, filled, longest] = [Math.floor(left), 0, -1];
      }
      filled += length;
      if (length > longest) [longest, longest_task] = [length, task];
      continue;
    }
    const right = Math.max(x(end), left + 1);
    context.globalAlpha = opaque;
    context.fillStyle = colourOfTask(task);
    context.fillRect(left, y + 2, right - left - (right - left > 3 ? 0.5 : 0), ROW - 4);
    context.globalAlpha = 1;
    if (tasks.end[task] < 0 && !lane.dispatch) hatch(left, y + 2, right - left, colours);
    if (task === selected) {
      context.strokeStyle = colours.mark;
      context.lineWidth = 2;
      context.strokeRect(left, y + 2, Math.max(2, right - left), ROW - 4);
    }
    if (right - left > 46 && !lane.dispatch) label(tasks.name[task], left, right, y);
  }
  drawPixel();
  context.globalAlpha = 1;
}
function label(text, left, right, y) {
  context.save();
  context.beginPath();
  context.rect(left, y, right - left - 3, ROW);
  context.clip();
  context.fillStyle = "#fff";
  context.font = "11px system-ui, sans-serif";
  context.fillText(text, left + 4, y + ROW / 2);
  context.restore();
}
function hatch(left, y, width, colours) {
  context.save();
  context.beginPath();
  context.rect(left, y, width, ROW - 4);
  context.clip();
  context.strokeStyle = colours.panel;
  for (let i = -ROW; i < width; i += 7) {
    context.beginPath();
    context.moveTo(left + i, y + ROW);
    context.lineTo(left + i + ROW, y);
    context.stroke();
  }
  context.restore();
}

function clampView(begin, end) {
  const span = Math.min(Math.max(end - begin, 20), Math.max(1, last));
  from = Math.min(Math.max(0, begin), Math.max(0, last - span));
  to = from + span;
  draw();
}
function zoom(factor, at = (from + to) / 2) { clampView(at - (at - from) * factor, at + (to - at) * factor); }
const timeAt = (event) => from + (to - from) * (event.offsetX - LEFT) / (canvas.clientWidth - LEFT);
canvas.addEventListener("wheel", (event) => {
  if (event.shiftKey) return clampView(from + (to - from) * event.deltaY / 1000, to + (to - from) * event.deltaY / 1000);
  event.preventDefault();
  zoom(Math.exp(event.deltaY / 400), timeAt(event));
}, { passive: false });
let drag = null;
canvas.addEventListener("pointerdown", (event) => { drag = { x: event.offsetX, from, to, moved: false }; canvas.setPointerCapture(event.pointerId); });
canvas.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const shift = (drag.x - event.offsetX) * (drag.to - drag.from) / (canvas.clientWidth - LEFT);
  if (Math.abs(drag.x - event.offsetX) > 3) { drag.moved = true; canvas.classList.add("dragging"); }
  if (drag.moved) clampView(drag.from + shift, drag.to + shift);
});
canvas.addEventListener("pointerup", (event) => {
  const clicked = drag && !drag.moved;
  drag = null;
  canvas.classList.remove("dragging");
  if (clicked) select(taskAt(event), false);
});
function taskAt(event) {
  const lane = lanes[Math.floor((event.offsetY - TOP) / ROW)];
  if (!lane) return -1;
  const at = timeAt(event), slack = (to - from) / (canvas.clientWidth - LEFT) * 2;
  let best = -1, distance = Infinity;
  for (const [task, begin, end] of lane.slices) {
    const away = at < begin ? begin - at : at > end ? at - end : 0;
    if (away < distance) { distance = away; best = task; }
  }
  return distance <= slack ? best : -1;
}
