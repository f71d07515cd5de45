// SPDX-License-Identifier: MIT
// Selection of a task, search, and the keys.

const predecessors = [], MANY = 40;
function predecessorsOf(task) {
  if (!predecessors.length && edges) {
    for (let i = 0; i < count; ++i) predecessors.push([]);
    for (let from_task = 0; from_task < count; ++from_task)
      for (let i = edges.offsets[from_task]; i < edges.offsets[from_task + 1]; ++i) predecessors[edges.successors[i]].push(from_task);
  }
  return predecessors[task] ?? [];
}
const successorsOf = (task) => (edges ? edges.successors.slice(edges.offsets[task], edges.offsets[task + 1]) : []);
function taskButton(task) {
  return element("button", { onclick: () => select(task, true), title: "task " + task }, tasks.name[task]);
}
function list(title, found) {
  const line = element("div", {}, `${title} (${found.length}): `);
  for (const task of found.slice(0, MANY)) line.append(taskButton(task));
  if (found.length > MANY) line.append(`… and ${found.length - MANY} more`);
  return line;
}
function select(task, reveal) {
  selected = task;
  const details = byId("details");
  details.replaceChildren();
  if (task < 0) { details.append(element("span", { class: "faint" }, "Select a task to see what it waited for.")); return draw(); }
  const kernel = kernels[tasks.kernel[task]];
  const head = element("div", {}, element("strong", { class: "mono" }, tasks.name[task]),
    ` · task ${task} · kernel ${kernel ? kernel.name : "?"}`);
  if (ran(task)) {
    head.append(` · ${coreName(tasks.core[task])} · AICPU ${tasks.aicpu[task]} · worker ${tasks.worker[task]} · `,
      tasks.end[task] < 0 ? element("strong", { class: "wrong" }, `started at ${time(tasks.start[task])} and did not return`)
                          : `from ${time(tasks.start[task])}, ${time(tasks.end[task] - tasks.start[task])} long, waited ${time(tasks.start[task] - tasks.dispatch[task])} for its core`);
  } else head.append(" · ", element("strong", { class: "wrong" }, "did not run"));
  details.append(head, list("waits for", predecessorsOf(task)), list("awaited by", successorsOf(task)));
  if (reveal) {
    if (ran(task)) {
      const end = tasks.end[task] < 0 ? last : tasks.end[task], span = Math.min(to - from, Math.max((end - tasks.start[task]) * 12, 200));
      const middle = (tasks.start[task] + end) / 2;
      if (tasks.start[task] < from || end > to || (end - tasks.start[task]) * 400 < to - from) clampView(middle - span / 2, middle + span / 2);
    }
    byId("timeline-section").scrollIntoView({ block: "nearest" });
  }
  draw();
}
function search(text) {
  matches = null;
  match_at = -1;
  const wanted = text.trim().toLowerCase();
  if (wanted) {
    matches = new Set();
    for (let task = 0; task < count; ++task)
      if (tasks.name[task].toLowerCase().includes(wanted) || String(task) === wanted) matches.add(task);
  }
  byId("matches").textContent = matches ? `${grouped(matches.size)} of ${grouped(count)} tasks` : "";
  draw();
}
// The task before or behind the selected one on its core; the first of all when none is selected.
function alongLane(direction) {
  const on_cores = lanes.filter((lane) => !lane.dispatch && lane.slices.length);
  const lane = on_cores.find((other) => other.name === (ran(selected) ? coreName(tasks.core[selected]) : "")) ?? on_cores[0];
  if (!lane) return;
  const at = lane.slices.findIndex(([task]) => task === selected);
  const next = lane.slices[at < 0 ? 0 : at + direction];
  if (next) select(next[0], true);
}
function step(direction) {
  if (!matches || !matches.size) return;
  const found = [...matches];
  match_at = (match_at + direction + found.length) % found.length;
  byId("matches").textContent = `${grouped(match_at + 1)} of ${grouped(found.length)} matches`;
  select(found[match_at], true);
}
byId("search").addEventListener("input", (event) => search(event.target.value));
byId("search").addEventListener("keydown", (event) => { if (event.key === "Enter") step(event.shiftKey ? -1 : 1); });
byId("next").addEventListener("click", () => step(1));
byId("previous").addEventListener("click", () => step(-1));
byId("zoom-in").addEventListener("click", () => zoom(0.5));
byId("zoom-out").addEventListener("click", () => zoom(2));
byId("zoom-all").addEventListener("click", () => clampView(0, last));
byId("idle-lanes").addEventListener("change", (event) => { lanes = lanesOf(event.target.checked); draw(); });

function theme(name) { document.documentElement.dataset.theme = name; draw(); }
theme(window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
const otherTheme = () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
byId("theme").addEventListener("click", otherTheme);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { byId("search").value = ""; byId("search").blur(); search(""); return select(-1, false); }
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
  const shift = (to - from) / 10;
  const actions = {
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "0": () => clampView(0, last),
    "[": () => alongLane(-1), "]": () => alongLane(1), "n": () => step(1), "N": () => step(-1), "t": otherTheme, "/": () => byId("search").focus(),
  };
  const on_canvas = { ArrowLeft: () => clampView(from - shift, to - shift), ArrowRight: () => clampView(from + shift, to + shift) };
  const action = actions[event.key] ?? (document.activeElement === canvas ? on_canvas[event.key] : undefined);
  if (action) { event.preventDefault(); action(); }
});
new ResizeObserver(draw).observe(byId("timeline-box"));
window.addEventListener("beforeprint", () => { document.documentElement.dataset.theme = "light"; paint(); });
