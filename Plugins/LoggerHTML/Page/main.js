// The page: what it holds is shown at once; while the run goes on, the newest state is loaded from the folder beside
// the page, as a script, since a page from a file may load nothing else.

const pictures = JSON.parse(document.getElementById("pictures").textContent);
// report.html has report-files/.
const folder = location.pathname.split("/").pop().replace(/\.html?$/i, "") + "-files";
const charts = new Map();
const galleries = new Map();
const view = { isLogarithmic: false, smoothing: 0.95, first: 0, last: 1, ...remembered() };
let report = null;

function remembered() {
  try {
    return JSON.parse(localStorage.getItem("espalier-report")) ?? {};
  } catch {
    return {};
  }
}

function remember() {
  try {
    const { isLogarithmic, smoothing } = view;
    localStorage.setItem("espalier-report", JSON.stringify({ isLogarithmic, smoothing }));
  } catch {
    // Without a memory the settings hold until the page is closed.
  }
}

const find = (id) => document.getElementById(id);
const sourceOf = (file) => pictures[file] ?? `${folder}/${encodeURI(file)}`;

function controls() {
  const logarithmic = element("input", { type: "checkbox" });
  logarithmic.checked = view.isLogarithmic;
  logarithmic.addEventListener("change", () => { view.isLogarithmic = logarithmic.checked; changed(); });
  const smoothing = element("input", { type: "range", min: 0, max: 0.99, step: 0.01 });
  smoothing.value = view.smoothing;
  smoothing.addEventListener("input", () => { view.smoothing = Number(smoothing.value); changed(); });
  return element(
    "div", { class: "controls" }, element("label", {}, logarithmic, "logarithmic"),
    element("label", {}, "smoothing", smoothing));
}

function changed() {
  remember();
  drawCharts();
}

function chart(name) {
  if (!charts.has(name)) {
    const made = new Chart(name, (step) => { for (const chart of charts.values()) chart.hover(step); });
    if (made.metric.wide) made.header.insertBefore(controls(), made.reading);
    charts.set(name, made);
    find("charts").append(made.card);
  }
  return charts.get(name);
}

function drawCharts() {
  const filled = report.series.filter((series) => series.steps.length);
  view.first = Math.min(...filled.map((series) => series.steps[0]));
  view.last = Math.max(...filled.map((series) => series.steps.at(-1)));
  for (const series of filled) chart(series.name).update(series, view);
}

function drawGalleries() {
  for (const tag of new Set(report.images.map((set) => set.tag))) {
    if (!galleries.has(tag)) {
      galleries.set(tag, new Gallery(tag, sourceOf));
      find("galleries").append(galleries.get(tag).card);
    }
    galleries.get(tag).update(report.images.filter((set) => set.tag === tag));
  }
}

function drawFacts() {
  const last = (name) => report.series.find((series) => series.name === name)?.last ?? null;
  const total = report.total_steps;
  const facts = [["Step", report.step.toLocaleString("en") + (total ? ` of ${total.toLocaleString("en")}` : "")]];
  if (last("loss") !== null) facts.push(["Loss", number(last("loss"))]);
  if (last("images_per_second") !== null) facts.push(["Images per second", number(last("images_per_second"), 3)]);
  facts.push(["Running for", duration(report.elapsed)]);
  if (report.status === "running") facts.push(["Time left", report.seconds_left === null ? "–" : duration(report.seconds_left)]);
  if (last("peak_memory_bytes") !== null) facts.push(["Peak memory", bytes(last("peak_memory_bytes"))]);
  find("facts").replaceChildren(...facts.map(
    ([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
  find("track").hidden = !total;
  find("bar").style.width = `${total ? Math.min(report.step / total, 1) * 100 : 0}%`;
  find("track").setAttribute("aria-valuenow", total ? Math.round(report.step / total * 100) : 0);
}

// A run that was killed cannot say so; how long it has been silent is said here.
function drawNews() {
  const silence = Date.now() / 1000 - report.updated;
  const step = report.series.find((series) => series.name === "step_seconds")?.last ?? 0;
  const isSilent = report.status === "running" && silence > Math.max(60, 10 * step);
  find("news").textContent = isSilent
    ? `no news for ${ago(silence)}` : report.status === "running" ? `updated ${ago(silence)} ago` : "";
}

function drawSettings() {
  const rows = report.settings.map(([name, value]) => element("tr", {}, element("th", {}, name), element("td", {}, value)));
  document.querySelector("#settings tbody").replaceChildren(...rows);
}

// Takes a newer state of the same run.
function show(newer) {
  if (report && (newer.id !== report.id || newer.updated < report.updated)) return;
  const hasNewSettings = JSON.stringify(newer.settings) !== JSON.stringify(report?.settings);
  report = newer;
  document.title = `${report.project} · ${report.status}`;
  find("project").textContent = report.project;
  find("status").textContent = report.status + (report.status === "failed" ? ` (exit code ${report.exit_code})` : "");
  find("status").className = `pill ${report.status}`;
  find("footer").textContent =
    `Espalier · begun ${new Date(report.begun * 1000).toLocaleString()}, `
    + `last news ${new Date(report.updated * 1000).toLocaleString()}`;
  drawFacts();
  drawNews();
  if (report.series.some((series) => series.steps.length)) drawCharts();
  drawGalleries();
  if (hasNewSettings) drawSettings();
  document.body.dataset.step = report.step;
  document.body.dataset.status = report.status;
}

// Called by the file of data.
window.espalierReport = show;

function load() {
  const wait = () => {
    if (report.status === "running") setTimeout(load, report.refresh_seconds * 1000);
  };
  if (document.hidden) return wait();
  const script = element("script", { src: `${folder}/data.js?${Date.now()}` });
  const done = () => { script.remove(); wait(); };
  script.addEventListener("load", done);
  // Without the folder beside it, the page shows what it holds.
  script.addEventListener("error", done);
  document.head.append(script);
}

show(JSON.parse(document.getElementById("report").textContent));
if (report.status === "running") load();
setInterval(drawNews, 1000);
