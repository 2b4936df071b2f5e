// Text goes into the page by textContent alone: names in a dataset are anybody's.
const told = JSON.parse(document.getElementById("data").textContent);
const points = told.points;
const count = points.x.length;
const byId = (id) => document.getElementById(id);
const state = { selected: null, current: -1 };
const hearing = [];  // told of each new selection

function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value; else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function select(mask) {
  state.selected = mask && mask.some((each) => each) ? mask : null;
  for (const hear of hearing) hear();
}

const isSelected = (point) => !state.selected || point >= count || state.selected[point];

function shown(value) {
  if (typeof value !== "number") return value ?? "none";
  return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(5)));
}

function valueOf(field, point) {
  const value = field.values[point];
  if (field.choices) return field.choices[value];
  return value === null ? "none" : `${shown(value)} ${field.unit}`.trim();
}

function named(point) {
  if (point >= count) return points.extras[point - count];
  const telling = points.fields.filter((f) => ["dataset", "preset", "origin", "pitch"].includes(f.name) && f.group === "row");
  const facts = telling.map((f) => (f.name === "pitch" ? `pitch ${f.values[point]}` : valueOf(f, point)));
  return [`row ${points.rows[point]}`, ...facts.filter((fact) => fact !== "none")].join(", ");
}

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function table(head, rows, caption) {
  const headings = el("tr", {}, ...head.map((name) => el("th", { scope: "col", textContent: name })));
  const body = rows.map((row) => el("tr", {}, ...row.map((cell) => (cell instanceof Node
    ? el("td", {}, cell)
    : el("td", { textContent: shown(cell), className: typeof cell === "number" ? "number" : "" })))));
  const made = el("table", {}, el("thead", {}, headings), el("tbody", {}, ...body));
  return el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": caption }, made);
}

function folded(title, make) {
  const made = el("details", {}, el("summary", { textContent: title }));
  const fill = () => made.open && made.replaceChildren(made.firstChild, make());
  made.addEventListener("toggle", fill);
  hearing.push(fill);
  return made;
}

// Charts

const theme = () => {
  const style = getComputedStyle(document.documentElement);
  const [front, faint, line] = ["--front", "--faint", "--line"].map((name) => style.getPropertyValue(name).trim());
  const texts = { labelColor: front, titleColor: faint, labelFont: "system-ui, sans-serif", titleFont: "system-ui, sans-serif" };
  return {
    background: "transparent",
    view: { stroke: "transparent" },
    axis: { ...texts, gridColor: line, domainColor: line, tickColor: line, titleFontWeight: "normal", gridOpacity: 0.6 },
    legend: { ...texts, titleFontWeight: "normal" },
    bar: { fill: style.getPropertyValue("--accent").trim() },
  };
};

class Chart {
  constructor(part) {
    this.part = part;
    this.keys = Object.keys(part.cells);
    this.length = this.keys.length ? part.cells[this.keys[0]].length : 0;
    this.counted = part.counted && new Uint16Array(bytesOf(part.counted.cells).buffer);
    this.drawn = el("div", { className: "drawn" });
    const caption = el("figcaption", {}, el("h3", { textContent: part.title }));
    if (part.note) caption.append(el("p", { textContent: part.note }));
    this.figure = el("figure", { className: part.spec.height > 160 ? "wide" : "" }, caption);
    if (part.choose) this.figure.append(this.chooser());
    this.figure.append(this.drawn, folded("as a table", () => this.table()));
    hearing.push(() => this.update());
  }

  chooser() {
    const names = [...new Set(this.part.cells[this.part.choose])];
    this.choice = el("select", {}, ...names.map((name) => el("option", { textContent: name, value: name })));
    this.choice.addEventListener("change", () => select(state.selected));
    return el("label", {}, `${this.part.columns[this.part.choose]} `, this.choice);
  }

  values() {
    const { cells, counted } = this.part;
    let numbers = cells.n;
    if (state.selected && this.counted) {
      numbers = new Array(this.length).fill(0);
      for (let point = 0; point < count; point += 1) {
        if (!state.selected[point]) continue;
        for (const cell of this.counted.subarray(point * counted.each, (point + 1) * counted.each)) {
          if (cell < this.length) numbers[cell] += 1;
        }
      }
    }
    const made = Array.from({ length: this.length }, (_, i) =>
      ({ ...Object.fromEntries(this.keys.map((key) => [key, cells[key][i]])), n: numbers[i] }));
    return this.choice ? made.filter((each) => each[this.part.choose] === this.choice.value) : made;
  }

  table() {
    const keys = Object.keys(this.part.columns);
    return table(Object.values(this.part.columns), this.values().map((each) => keys.map((key) => each[key])), this.part.title);
  }

  async draw() {
    const spec = { ...this.part.spec, datasets: { cells: this.values() }, description: this.part.title };
    const made = await window.vegaEmbed(this.drawn, spec, { renderer: "svg", actions: false, config: theme() });
    this.view?.finalize();
    this.view = made.view;
    this.figure.dataset.drawn = "yes";
  }

  async update() {
    if (this.view) await this.view.data("cells", this.values()).runAsync();
  }
}

const charts = [];
const appearing = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    appearing.unobserve(target);
    charts.find((chart) => chart.figure === target).draw();
  }
}, { rootMargin: "600px" });

function chartOf(part) {
  const made = new Chart(part);
  charts.push(made);
  appearing.observe(made.figure);
  return made.figure;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of charts) if (chart.view) chart.draw();
});
