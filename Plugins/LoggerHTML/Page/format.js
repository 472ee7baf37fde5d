// Numbers as people read them, and places for the marks of an axis.

const number = (value, digits = 4) => {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size <= 1e-3)) {
    return value.toExponential(digits - 1).replace(/\.?0*e/, "e").replace("e+", "e");
  }
  return String(Number(value.toPrecision(digits)));
};

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB"];

const byteUnit = (value) => {
  const power = value > 0 ? Math.floor(Math.log2(value) / 10) : 0;
  const index = Math.min(Math.max(power, 0), byteUnits.length - 1);
  return { name: byteUnits[index], size: 1024 ** index };
};

const bytes = (value, digits = 3) => {
  if (value === null || !Number.isFinite(value)) return "–";
  const unit = byteUnit(value);
  return `${number(value / unit.size, Math.max(digits, String(Math.floor(value / unit.size)).length))} ${unit.name}`;
};

// Hours, minutes, seconds.
const duration = (seconds) => {
  if (seconds === null || !Number.isFinite(seconds)) return "–";
  const whole = Math.round(seconds);
  const two = (part) => String(part).padStart(2, "0");
  const [days, hours, minutes] = [whole / 86400, whole / 3600 % 24, whole / 60 % 60].map(Math.floor);
  const clock = `${days || hours ? two(minutes) : minutes}:${two(whole % 60)}`;
  if (days) return `${days} d ${hours}:${two(minutes)}`;
  return hours ? `${hours}:${clock}` : clock;
};

const shortTime = (value, digits = 3) => {
  if (value === null || !Number.isFinite(value)) return "–";
  if (value !== 0 && Math.abs(value) < 1) return `${number(value * 1000, digits)} ms`;
  return value < 300 ? `${number(value, digits)} s` : duration(value);
};

// About how long ago something was.
const ago = (seconds) => {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
};

// What is known of the metrics that Espalier records; others are drawn under their own names.
const knownMetrics = {
  loss: { title: "Loss", smooth: true, wide: true },
  lr: { title: "Learning rate" },
  grad_norm: { title: "Gradient norm", smooth: true },
  images_per_second: { title: "Images per second" },
  step_seconds: { title: "Time of a step", smooth: true, format: shortTime },
  peak_memory_bytes: { title: "Peak memory", format: bytes, fromZero: true },
};

const metric = (name) => {
  const known = knownMetrics[name] ?? { title: name, smooth: true };
  return { format: number, isBytes: known.format === bytes, ...known };
};

// Round numbers from low to high, about `count` of them.
const ticks = (low, high, count, factors = [1, 2, 5, 10]) => {
  const rough = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = factors.map((factor) => factor * power).find((step) => step >= rough * 0.999);
  const marks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
    marks.push(Number((k * step).toPrecision(12)));
  }
  return marks;
};

const logarithmicTicks = (low, high, count) => {
  const marks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const factor of [1, 2, 5]) {
      const mark = Number((factor * 10 ** power).toPrecision(3));
      if (mark >= low && mark <= high) marks.push(mark);
    }
  }
  if (marks.length < 2) return ticks(low, high, count);
  const decades = marks.filter((mark) => Number.isInteger(Number(Math.log10(mark).toFixed(9))));
  return marks.length > 2 * count && decades.length > 1 ? decades : marks;
};
