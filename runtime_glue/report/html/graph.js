// SPDX-License-Identifier: MIT
// The graph collapsed by kernel, and the critical path by kernel time.

function criticalPath() {
  if (!edges || !count) return [];
  const waiting = new Int32Array(count);
  for (const to_task of edges.successors) ++waiting[to_task];
  const reach = new Float64Array(count), before = new Int32Array(count).fill(-1);
  const ready = [];
  for (let task = 0; task < count; ++task) if (!waiting[task]) ready.push(task);
  let end = -1, seen = 0;
  while (ready.length) {
    const task = ready.pop();
    ++seen;
    reach[task] += ran(task) && tasks.end[task] >= 0 ? tasks.end[task] - tasks.start[task] : 0;
    if (end < 0 || reach[task] > reach[end]) end = task;
    for (let i = edges.offsets[task]; i < edges.offsets[task + 1]; ++i) {
      const next = edges.successors[i];
      if (before[next] < 0 || reach[task] > reach[next]) { reach[next] = reach[task]; before[next] = task; }
      if (--waiting[next] === 0) ready.push(next);
    }
  }
  const path = [];
  for (let task = end; task >= 0; task = before[task]) path.push(task);
  return path.reverse();
}
const path = criticalPath();
function kernelGraph() {
  const counts = new Map(), critical = new Set();
  if (edges)
    for (let task = 0; task < count; ++task)
      for (let i = edges.offsets[task]; i < edges.offsets[task + 1]; ++i) {
        const key = tasks.kernel[task] + "," + tasks.kernel[edges.successors[i]];
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
  for (let i = 1; i < path.length; ++i) critical.add(tasks.kernel[path[i - 1]] + "," + tasks.kernel[path[i]]);
  const links = [...counts].map(([key, n]) => ({ from: +key.split(",")[0], to: +key.split(",")[1], n, critical: critical.has(key) }));
  const used = kernels.map((_, i) => i).filter((i) => per_kernel[i].tasks || links.some((link) => link.from === i || link.to === i));
  const layer = new Map(used.map((i) => [i, 0]));
  for (let round = 0; round < used.length; ++round)  // cycles between kernels end after as many rounds
    for (const link of links) if (link.from < link.to || !links.some((other) => other.from === link.to && other.to === link.from))
      if (link.from !== link.to && layer.get(link.to) <= layer.get(link.from) && layer.get(link.from) + 1 < used.length) layer.set(link.to, layer.get(link.from) + 1);
  const rows = [], width = 190, height = 44, gap_x = 70, gap_y = 40, at = new Map();
  for (const i of used) (rows[layer.get(i)] ??= []).push(i);
  rows.filter(Boolean).forEach((row, y) => row.forEach((i, x) => at.set(i, { x: 40 + x * (width + gap_x), y: 20 + y * (height + gap_y) })));
  const space = "http://www.w3.org/2000/svg";
  const shape = (tag, attributes, text) => {
    const node = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const total_width = Math.max(300, ...[...at.values()].map((p) => p.x + width + 90)), total_height = Math.max(60, ...[...at.values()].map((p) => p.y + height + 30));
  const svg = shape("svg", { width: total_width, height: total_height, role: "img", "aria-label": "task graph collapsed by kernel" });
  svg.append(shape("defs", {}));
  svg.firstChild.innerHTML = '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="context-stroke"/></marker>';
  for (const link of links) {
    const a = at.get(link.from), b = at.get(link.to);
    let curve, label_x, label_y;
    if (link.from === link.to) {
      const x = a.x + width, y = a.y + height / 2;
      curve = `M${x} ${y - 10} C${x + 46} ${y - 26} ${x + 46} ${y + 26} ${x} ${y + 10}`;
      [label_x, label_y] = [x + 38, y + 4];
    } else {
      const down = b.y > a.y, x1 = a.x + width / 2 + (down ? 0 : 24), x2 = b.x + width / 2 + (down ? 0 : 24);
      const y1 = down ? a.y + height : a.y, y2 = down ? b.y : b.y + height;
      curve = b.y === a.y ? `M${a.x + (b.x > a.x ? width : 0)} ${a.y + height / 2} L${b.x + (b.x > a.x ? 0 : width)} ${b.y + height / 2}`
                          : `M${x1} ${y1} C${x1} ${(y1 + y2) / 2} ${x2} ${(y1 + y2) / 2} ${x2} ${y2}`;
      [label_x, label_y] = [(x1 + x2) / 2 + 6, (y1 + y2) / 2 + 4];
    }
    svg.append(shape("path", { d: curve, class: "edge" + (link.critical ? " critical" : ""), "marker-end": "url(#tip)" }),
      shape("text", { x: label_x, y: label_y }, grouped(link.n)));
  }
  for (const [i, p] of at) {
    svg.append(shape("rect", { x: p.x, y: p.y, width, height, rx: 6, class: "node" }),
      shape("rect", { x: p.x, y: p.y, width: 6, height, rx: 3, fill: colourOf(i) }),
      shape("text", { x: p.x + 14, y: p.y + 18 }, kernels[i].name.length > 24 ? kernels[i].name.slice(0, 23) + "…" : kernels[i].name),
      shape("text", { x: p.x + 14, y: p.y + 35 }, `${counted(per_kernel[i].tasks, "task")}, ${time(per_kernel[i].total)}`));
  }
  return svg;
}
byId("graph").append(edges ? kernelGraph() : element("p", { class: "faint" }, data.no_edges ?? "What is known of this run has no graph."));
if (path.length) {
  const steps = [];
  for (const task of path) {
    const head = steps[steps.length - 1], spent = ran(task) && tasks.end[task] >= 0 ? tasks.end[task] - tasks.start[task] : 0;
    if (head && head.kernel === tasks.kernel[task]) { ++head.n; head.spent += spent; }
    else steps.push({ kernel: tasks.kernel[task], n: 1, spent, first: task });
  }
  const whole = steps.reduce((sum, s) => sum + s.spent, 0);
  const line = element("p", {}, element("b", {}, "Critical path"), ` (${counted(path.length, "task")}, ${time(whole)} in kernels, ${percent(whole, stats.wall_ns)} of the wall time): `);
  steps.slice(0, 60).forEach((s, i) => line.append(i ? " → " : "", element("button", { onclick: () => select(s.first, true) }, `${kernels[s.kernel]?.name ?? "?"} × ${s.n}, ${time(s.spent)}`)));
  if (steps.length > 60) line.append(` → … ${steps.length - 60} more`);
  byId("critical").append(line);
}
