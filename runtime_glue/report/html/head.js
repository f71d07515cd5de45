// SPDX-License-Identifier: MIT
// The head: how the run ended, where to look, its facts; with several runs, the choice of one.

document.title = sources.length > 1 ? `${sources.length} runs: ${labels[shown]}` : `${run.name}: ${run.outcome}`;
byId("title").append(manifest.display_name ? `${run.name}: ${manifest.display_name}` : run.name);
function outcomeOf(result) {
  if (result.outcome === "traced") return element("span", { class: "faint", title: "how the run ended is not known" }, "timeline only");
  const good = result.outcome === "right";
  return element("strong", { class: good ? "right" : "wrong" }, good && !result.compared ? "ran; results were not compared" : result.outcome);
}
byId("outcome").append(outcomeOf(run));
if (run.remark) byId("outcome").append(" " + run.remark);
if (run.error) {
  const lines = [`${run.error.place}: ${run.error.message}`, ...run.error.notes.map((note) => "note: " + note)];
  if (run.error.fix) lines.push("fix: " + run.error.fix);
  byId("outcome").append(element("div", { class: "error mono" }, lines.join("\n")));
  const named = failed_tasks.filter((task) => task < count);
  if (named.length) {
    const links = element("p", {}, "Go to: ");
    for (const task of named.slice(0, 8)) links.append(taskButton(task));
    byId("outcome").append(links);
  }
}
function fact(name, value) {
  if (value === undefined || value === "") return;
  byId("facts").append(element("span", {}, name + " ", element("b", {}, value)));
}
fact("tasks", grouped(stats.tasks));
if (stats.completed !== stats.tasks) fact("of them ran", grouped(stats.completed));
if (stats.edges !== undefined) fact("edges", grouped(stats.edges));
if (stats.critical_path !== undefined) fact("critical path", counted(stats.critical_path, "task") + (stats.critical_path_ns ? `, ${time(stats.critical_path_ns)}` : ""));
if (stats.build_ns) fact("graph build", time(stats.build_ns));
fact("wall time", run.wall_ns?.length > 1 ? `${time(wallOf(run))}, median of ${run.wall_ns.length}` : time(wallOf(run)));
fact("workers", stats.workers);
fact("cores", `${stats.cores}, ${stats.aicpus} AICPU${stats.aicpus === 1 ? "" : "s"}`);
fact("kernel code", run.kernel_arch);
fact("platform", run.platform);

if (sources.length > 1) {
  byId("choice").hidden = false;
  labels.forEach((label, i) => byId("runs").append(element("option", { value: i }, label)));
  byId("runs").value = shown;
  byId("runs").addEventListener("change", (event) => showRun(Number(event.target.value)));
}
