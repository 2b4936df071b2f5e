// What is played, and the page put together.
const audio = byId("audio");

function play(point) {
  state.current = point;
  byId("now-title").textContent = named(point);
  Object.assign(byId("picture"), { hidden: false, alt: `Spectrogram of ${named(point)}`, src: pictureOf(point) });
  audio.hidden = !points.clips[point];
  if (points.clips[point]) {
    audio.src = points.clips[point];
    audio.play().catch(() => {});
  } else audio.pause();
  tell(point);
  draw();
}

const pictureOf = (point) => `data:image/png;base64,${points.pictures[point]}`;

function toggle() {
  if (state.current < 0) return;
  if (audio.paused) play(state.current); else audio.pause();
}

function tell(point) {
  const facts = (point < count ? points.fields : []).flatMap((field) => [
    el("dt", { textContent: field.name }), el("dd", { textContent: valueOf(field, point) })]);
  if (!points.clips[point]) facts.unshift(el("dt", { textContent: "clip" }), el("dd", { textContent: "left out, for size" }));
  if (points.divided[point] > 1) {
    facts.unshift(el("dt", { textContent: "clip" }), el("dd", { textContent: `divided by ${shown(points.divided[point])}: it passes full scale` }));
  }
  byId("values").replaceChildren(...facts);
}

function card([point, why]) {
  const picture = el("img", { alt: "", src: pictureOf(point) });
  const made = el("button", { type: "button", className: "card" }, picture, el("b", { textContent: why }), el("span", { textContent: named(point) }));
  made.addEventListener("click", () => play(point));
  hearing.push(() => made.classList.toggle("outside", !isSelected(point)));
  return made;
}

function partOf(part) {
  if (part.kind === "chart") return chartOf(part);
  const made = el("div", {}, ...(part.title ? [el("h3", { textContent: part.title })] : []));
  if (part.note) made.append(el("p", { textContent: part.note }));
  if (part.kind === "table") made.append(table(part.head, part.rows, part.title || "Table"));
  else made.append(...part.rows.map((row) => el("div", { className: row.length === 2 ? "row pair" : "row" }, ...row.map(card))));
  return made;
}

function sectionOf(section) {
  const heading = el("h2", { id: `${section.name}-title`, textContent: section.title });
  const made = el("section", { id: section.name, "aria-labelledby": heading.id }, heading);
  if (section.note) made.append(el("p", { textContent: section.note }));
  let group = null;
  for (const part of section.parts) {
    if (part.kind !== "chart") group = null;
    else if (!group) made.append(group = el("div", { className: "charts" }));
    (group ?? made).append(partOf(part));
  }
  return made;
}

function colours() {
  const choose = byId("colour");
  const groups = { row: "Row", sound: "Sound", measure: "Measures", parameter: "Parameters" };
  for (const [group, title] of Object.entries(groups)) {
    const options = points.fields.map((field, place) => [field, place]).filter(([field]) => field.group === group && !field.many)
      .map(([field, place]) => el("option", { textContent: field.name, value: place }));
    if (options.length) choose.append(el("optgroup", { label: title }, ...options));
  }
  const telling = points.fields.findIndex((field) => !field.many && new Set(field.values).size > 1);
  choose.value = String(Math.max(telling, 0));
  choose.addEventListener("change", colour);
}

function soundsTable() {
  const fields = points.fields.filter((field) => field.group !== "parameter");
  const rows = [...Array(count).keys()].filter(isSelected).map((point) => {
    const button = el("button", { type: "button", textContent: `row ${points.rows[point]}`, "aria-label": `Play ${named(point)}` });
    button.addEventListener("click", () => play(point));
    return [button, ...fields.map((field) => (field.choices ? valueOf(field, point) : field.values[point]))];
  });
  return table(["play", ...fields.map((field) => `${field.name} ${field.unit ?? ""}`.trim())], rows, "Sounds");
}

function map() {
  byId("map").hidden = false;
  const [first, second] = points.explained.map((share) => `${(100 * share).toFixed(0)} %`);
  byId("map-note").textContent = `Sounds with similar spectra lie near each other. The axes are the first two principal components of the mean and the deviation of 128 log-mel bands, which explain ${first} and ${second} of the variance.`;
  colours();
  listen();
  byId("clear").addEventListener("click", () => select(null));
  byId("sounds").replaceWith(folded("All sounds of the map as a table", soundsTable));
  hearing.push(draw, () => {
    const selected = state.selected ? state.selected.filter((each) => each).length : 0;
    byId("clear").disabled = !state.selected;
    byId("chosen").textContent = state.selected ? `${selected.toLocaleString("en")} of ${count.toLocaleString("en")} sounds selected` : "";
  });
  new ResizeObserver(layOut).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colour);
  layOut();
  colour();
}

byId("title").textContent = told.title;
byId("facts").append(...told.facts.flatMap(([name, value]) => [el("dt", { textContent: name }), el("dd", { textContent: value })]));
byId("remarks").append(...told.notes.map(([text, bad]) => el("li", { textContent: text, className: bad ? "bad" : "" })));
const index = [...(count ? [{ name: "map", title: "Sound map" }] : []), ...told.sections];
byId("index").append(...index.map(({ name, title }) => el("li", {}, el("a", { href: `#${name}`, textContent: title }))));
if (count) map();
byId("sections").append(...told.sections.map(sectionOf));
document.body.dataset.ready = "yes";
