// SPDX-License-Identifier: MIT
// Kernels: how often, how long, how many bytes.

const per_kernel = kernels.map(() => ({ tasks: 0, total: 0, least: Infinity, most: 0, slowest: -1 }));
for (let task = 0; task < count; ++task) {
  const entry = per_kernel[tasks.kernel[task]];
  if (!entry || !ran(task) || tasks.end[task] < 0) continue;
  const spent = tasks.end[task] - tasks.start[task];
  ++entry.tasks;
  entry.total += spent;
  entry.least = Math.min(entry.least, spent);
  if (spent >= entry.most) { entry.most = spent; entry.slowest = task; }
}
// Without a timeline the totals are all there is.
if (!data.tasks) (stats.kernels ?? []).forEach((kernel, i) => Object.assign(per_kernel[i], { tasks: kernel.tasks, total: kernel.total_ns }));
const busy = per_kernel.reduce((sum, entry) => sum + entry.total, 0);
const size = { f32: 4, i32: 4, f16: 2, bf16: 2 };
const moved = (kernel) => kernel.tiles.reduce((sum, tile) => sum + tile.rows * tile.cols * size[tile.dtype] * (tile.access === "inout" ? 2 : 1), 0);
function bytesOf(kernel, count, each) {
  if (!kernel.tiles.length) return ["–", "–", "–"];
  return [bytes(moved(kernel) * count), bytes(moved(kernel)), each ? bytes(moved(kernel) / each * 1e9) + "/s" : "–"];
}
kernels.forEach((kernel, i) => byId("legend").append(element("span", { style: { "--colour": colourOf(i) } }, kernel.name)));
byId("kernels").append(table(["kernel", "core", "tasks", "time", "share", "", "each", "least", "most", "slowest", "bytes", "bytes each", "bytes/s"].map((name) => ({ name, text: ["kernel", "core", "", "slowest"].includes(name) })),
  kernels.map((kernel, i) => {
    const entry = per_kernel[i], each = entry.tasks ? entry.total / entry.tasks : 0, alone = entry.slowest >= 0;
    return [kernel.name, kernel.core_type, grouped(entry.tasks), time(entry.total), percent(entry.total, busy), bar(entry.total, busy),
      entry.tasks ? time(each) : "–", alone ? time(entry.least) : "–", alone ? time(entry.most) : "–",
      alone ? taskButton(entry.slowest) : "–", ...bytesOf(kernel, entry.tasks, each)];
  })));
