// Curves of metrics over steps, as SVG. All charts show the same steps and the same cross.

const svgElement = (name, attributes = {}, text = null) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== null) element.textContent = text;
  return element;
};

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

// An exponential mean whose start is not drawn towards 0.
const smoothed = (values, factor) => {
  let [mean, weight] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    mean = mean * factor + value * (1 - factor);
    weight = weight * factor + (1 - factor);
    return mean / weight;
  });
};

const quantile = (sorted, share) => sorted[Math.round(share * (sorted.length - 1))];

// The index of the step that lies nearest.
const nearest = (steps, step) => {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] < step) low = middle + 1; else high = middle;
  }
  return low > 0 && step - steps[low - 1] < steps[low] - step ? low - 1 : low;
};

class Chart {
  constructor(name, onHover) {
    this.name = name;
    this.metric = metric(name);
    this.reading = element("output", { class: "reading" });
    this.header = element("header", {}, element("h2", {}, this.metric.title));
    this.svg = svgElement("svg", { role: "img" });
    this.plot = element("div", { class: "plot" }, this.svg);
    this.card = element(
      "article", { class: this.metric.wide ? "card chart wide" : "card chart", "data-metric": name },
      this.header, this.plot);
    this.header.append(this.reading);
    this.svg.addEventListener("pointermove", (event) => onHover(this.stepAt(event)));
    this.svg.addEventListener("pointerleave", () => onHover(null));
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  // series: name, width (steps in a bucket), steps (the last of each), mean, low, high (null: as mean).
  // view: first, last, isLogarithmic, smoothing.
  update(series, view) {
    [this.series, this.view] = [series, view];
    this.draw();
  }

  draw() {
    const { series, view } = this;
    if (!series || !this.plot.clientWidth) return;
    const [width, height] = [this.plot.clientWidth, this.plot.clientHeight];
    const isLogarithmic = view.isLogarithmic && this.metric.wide;
    const visible = (value) => (value === null || (isLogarithmic && value <= 0) ? null : value);
    const mean = series.mean.map(visible);
    const curve = this.metric.smooth && view.smoothing > 0 ? smoothed(mean, view.smoothing) : null;
    this.area = { left: 56, right: width - 10, top: 8, bottom: height - 22 };
    this.scale(mean, curve, isLogarithmic);
    const clip = `clip-${this.name.replace(/[^a-z0-9]/gi, "_")}`;
    const frame = svgElement("clipPath", { id: clip });
    frame.append(svgElement("rect", {
      x: this.area.left, y: this.area.top - 4, width: Math.max(0, this.area.right - this.area.left + 4),
      height: Math.max(0, this.area.bottom - this.area.top + 8),
    }));
    const curves = svgElement("g", { "clip-path": `url(#${clip})` });
    if (series.low) {
      curves.append(svgElement("path", { class: "band", d: this.band(series.low.map(visible), series.high.map(visible)) }));
    }
    curves.append(svgElement("path", { class: curve ? "raw faint" : "raw", d: this.line(mean) }));
    if (curve) curves.append(svgElement("path", { class: "smooth", d: this.line(curve) }));
    this.cross = svgElement("g");
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.replaceChildren(frame, ...this.axes(isLogarithmic), curves, this.cross);
    this.shown = curve ?? mean;
    const last = series.steps.length - 1;
    this.card.dataset.points = series.steps.length;
    this.card.dataset.lastStep = series.steps[last];
    this.svg.setAttribute("aria-label", `${this.metric.title}: ${this.metric.format(series.last)} at step ${series.steps[last]}`);
    this.hover(this.hovered ?? null);
  }

  // Steps and values to places. A few outliers do not flatten a curve of noise: they leave the picture.
  scale(mean, curve, isLogarithmic) {
    const { left, right, top, bottom } = this.area;
    const sorted = mean.filter((value) => value !== null).sort((a, b) => a - b);
    const share = this.metric.smooth ? 0.01 : 0;
    let [low, high] = sorted.length ? [quantile(sorted, share), quantile(sorted, 1 - share)] : [0, 1];
    for (const value of curve ?? []) {
      if (value !== null) [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
    if (this.metric.fromZero) low = 0;
    const transform = isLogarithmic ? Math.log10 : (value) => value;
    let [from, to] = [transform(low), transform(high)];
    if (to - from < Math.abs(to) * 1e-6 || to === from) {
      const room = isLogarithmic ? 0.3 : Math.abs(to) * 0.5 || 1;
      [from, to] = [this.metric.fromZero ? 0 : from - room, to + room];
    } else {
      const room = (to - from) * 0.06;
      [from, to] = [this.metric.fromZero ? 0 : from - room, to + room];
    }
    const { first, last } = this.view;
    const span = Math.max(last - first, 1);
    this.x = (step) => left + (step - first) / span * (right - left);
    this.y = (value) => bottom - (transform(value) - from) / (to - from) * (bottom - top);
    this.range = isLogarithmic ? [10 ** from, 10 ** to] : [from, to];
    this.step = (x) => first + (x - left) / Math.max(right - left, 1) * span;
  }

  axes(isLogarithmic) {
    const { left, right, top, bottom } = this.area;
    const count = Math.max(3, Math.round((bottom - top) / 48));
    const [low, high] = this.range;
    const unit = this.metric.isBytes ? byteUnit(high).size : 1;
    const marks = isLogarithmic
      ? logarithmicTicks(low, high, count) : ticks(low / unit, high / unit, count).map((mark) => mark * unit);
    const parts = marks.flatMap((mark) => {
      const y = this.y(mark);
      return [
        svgElement("line", { class: "grid", x1: left, x2: right, y1: y, y2: y }),
        svgElement("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, this.metric.format(mark)),
      ];
    });
    const { first, last } = this.view;
    const steps = ticks(first, Math.max(last, first + 1), Math.max(3, (right - left) / 90), [1, 2, 2.5, 5, 10]).filter(Number.isInteger);
    return parts.concat(steps.map((step) => {
      const x = this.x(step);
      const anchor = x > right - 16 ? "end" : "middle";
      return svgElement("text", { x, y: bottom + 17, "text-anchor": anchor }, step.toLocaleString("en"));
    }));
  }

  line(values) {
    const parts = [];
    let isDrawing = false;
    values.forEach((value, index) => {
      if (value === null) { isDrawing = false; return; }
      const place = `${this.x(this.series.steps[index]).toFixed(1)} ${this.y(value).toFixed(1)}`;
      // A point without neighbours is drawn as a short line.
      parts.push(isDrawing ? `L${place}` : `M${place}h.1`);
      isDrawing = true;
    });
    return parts.join("");
  }

  band(low, high) {
    const place = (value, index) => `${this.x(this.series.steps[index]).toFixed(1)} ${this.y(value).toFixed(1)}`;
    const usable = low.map((value, index) => index).filter((index) => low[index] !== null && high[index] !== null);
    if (!usable.length) return "";
    const there = usable.map((index) => place(high[index], index));
    const back = usable.map((index) => place(low[index], index)).reverse();
    return `M${there.concat(back).join("L")}Z`;
  }

  stepAt(event) {
    return this.step ? this.step(event.clientX - this.plot.getBoundingClientRect().left) : null;
  }

  // Shows the values of a step, or the last ones.
  hover(step) {
    this.hovered = step;
    const { series } = this;
    if (!series || !this.cross) return;
    this.cross.replaceChildren();
    const format = (value) => this.metric.format(value);
    if (step === null) {
      this.reading.textContent = format(series.last);
      return;
    }
    const index = nearest(series.steps, step);
    const [at, value] = [series.steps[index], this.shown[index]];
    const x = this.x(at);
    this.cross.append(svgElement("line", { class: "cross", x1: x, x2: x, y1: this.area.top, y2: this.area.bottom }));
    if (value !== null) this.cross.append(svgElement("circle", { class: "dot", cx: x, cy: this.y(value), r: 4 }));
    const from = series.width > 1 ? Math.max(Math.floor(at / series.width) * series.width, 1) : at;
    const where = from < at ? `steps ${from} to ${at}` : `step ${at}`;
    const range = series.low && series.low[index] !== series.high[index]
      ? ` (${format(series.low[index])} to ${format(series.high[index])})` : "";
    const smooth = this.shown !== series.mean && value !== null && this.metric.smooth && this.view.smoothing > 0
      ? `, smoothed ${format(value)}` : "";
    this.reading.textContent = `${where}: ${format(series.mean[index])}${range}${smooth}`;
  }
}
