// The sound map: drawn by hand, since playing is by hand too.
const canvas = byId("canvas");
const pen = canvas.getContext("2d");
const SCALE = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
const EDGE = 18;
const NEAR = 14;
const view = { width: 0, height: 0, x: [], y: [], colours: [], box: null };

function mixed(share) {
  const place = Math.min(Math.max(share, 0), 1) * (SCALE.length - 1);
  const low = Math.min(Math.floor(place), SCALE.length - 2);
  return `rgb(${SCALE[low].map((from, i) => Math.round(from + (SCALE[low + 1][i] - from) * (place - low))).join()})`;
}

function rangeOf(field) {
  const known = field.values.filter((value) => value !== null && (!field.log || value > 0));
  const [low, high] = [known.reduce((a, b) => Math.min(a, b), Infinity), known.reduce((a, b) => Math.max(a, b), -Infinity)];
  return { low, high, of: (value) => {
    const [from, to, at] = field.log ? [low, high, value].map(Math.log) : [low, high, value];
    return to > from ? (at - from) / (to - from) : 0.5;
  } };
}

const chosenField = () => points.fields[Number(byId("colour").value)];

function colour() {
  const field = chosenField();
  const grey = getComputedStyle(document.documentElement).getPropertyValue("--point").trim();
  if (field.choices) {
    view.colours = field.values.map((value) => told.palette[value] ?? grey);
  } else {
    const range = rangeOf(field);
    view.colours = field.values.map((value) => (value === null || (field.log && value <= 0) ? grey : mixed(range.of(value))));
  }
  legend(field, grey);
  draw();
}

function legend(field, grey) {
  const dot = (fill) => { const made = el("i"); made.style.background = fill; return made; };
  if (!field.choices) {
    const range = rangeOf(field);
    const scale = el("span", { className: "scale" });
    scale.style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(mixed).join()})`;
    const ends = Number.isFinite(range.low) ? [range.low, range.high].map(shown) : ["none", "none"];
    byId("legend").replaceChildren(el("span", { textContent: ends[0] }), scale, el("span", { textContent: `${ends[1]} ${field.unit}` }));
    return;
  }
  const few = field.choices.slice(0, told.palette.length);
  const made = few.map((name, value) => {
    const button = el("button", { type: "button" }, dot(told.palette[value]), name);
    button.addEventListener("click", () => select(field.values.map((each) => each === value)));
    return button;
  });
  if (field.choices.length > few.length) {
    const rest = el("button", { type: "button" }, dot(grey), `${field.choices.length - few.length} others`);
    rest.addEventListener("click", () => select(field.values.map((each) => each >= few.length)));
    made.push(rest);
  }
  byId("legend").replaceChildren(...made);
}

function layOut() {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  Object.assign(view, { width, height });
  Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const ends = [points.x, points.y].map((each) => [each.reduce((a, b) => Math.min(a, b), Infinity), each.reduce((a, b) => Math.max(a, b), -Infinity)]);
  const spans = ends.map(([low, high]) => high - low);
  const unit = Math.min((width - 2 * EDGE) / (spans[0] || 1), (height - 2 * EDGE) / (spans[1] || 1));
  const middles = ends.map(([low, high]) => (low + high) / 2);
  view.x = points.x.map((x) => width / 2 + (x - middles[0]) * unit);
  view.y = points.y.map((y) => height / 2 - (y - middles[1]) * unit);
  draw();
}

function draw() {
  const style = getComputedStyle(document.documentElement);
  pen.clearRect(0, 0, view.width, view.height);
  for (let point = 0; point < count; point += 1) {
    pen.globalAlpha = isSelected(point) ? 0.85 : 0.12;
    pen.beginPath();
    pen.arc(view.x[point], view.y[point], points.clips[point] ? 4.5 : 2.5, 0, 2 * Math.PI);
    pen.fillStyle = view.colours[point];
    pen.fill();
  }
  pen.globalAlpha = 1;
  pen.strokeStyle = style.getPropertyValue("--front").trim();
  pen.lineWidth = 2;
  if (state.current >= 0 && state.current < count) {
    pen.beginPath();
    pen.arc(view.x[state.current], view.y[state.current], 8, 0, 2 * Math.PI);
    pen.stroke();
  }
  if (view.box) {
    const [left, top, right, bottom] = view.box;
    pen.lineWidth = 1;
    pen.strokeRect(left, top, right - left, bottom - top);
  }
}

function nearest(x, y, within) {
  let [found, least] = [-1, within * within];
  for (let point = 0; point < count; point += 1) {
    const away = (view.x[point] - x) ** 2 + (view.y[point] - y) ** 2;
    if (away <= least && isSelected(point)) [found, least] = [point, away];
  }
  return found;
}

function neighbour(right, down) {
  if (state.current < 0 || state.current >= count) return nearest(view.width / 2, view.height / 2, Infinity);
  const [x, y] = [view.x[state.current], view.y[state.current]];
  let [found, least] = [-1, Infinity];
  for (let point = 0; point < count; point += 1) {
    const [dx, dy] = [view.x[point] - x, view.y[point] - y];
    const ahead = dx * right + dy * down;
    const aside = Math.abs(dx * down) + Math.abs(dy * right);
    if (point === state.current || ahead <= 0 || aside > ahead * 1.5 || !isSelected(point)) continue;
    if (ahead + 2 * aside < least) [found, least] = [point, ahead + 2 * aside];
  }
  return found;
}

const place = (event) => {
  const frame = canvas.getBoundingClientRect();
  return [event.clientX - frame.left, event.clientY - frame.top];
};

function hover(event) {
  const point = nearest(...place(event), NEAR);
  const note = byId("hover");
  note.hidden = point < 0;
  if (point < 0) return;
  const field = chosenField();
  note.textContent = `${named(point)}; ${field.name}: ${valueOf(field, point)}`;
  note.style.left = `${Math.min(event.clientX + 12, innerWidth - 200)}px`;
  note.style.top = `${event.clientY + 14}px`;
}

function listen() {
  let from = null;
  canvas.addEventListener("pointerdown", (event) => {
    from = place(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) { hover(event); return; }
    const to = place(event);
    const far = Math.hypot(to[0] - from[0], to[1] - from[1]) > 5;
    view.box = far || view.box ? [...from, ...to] : null;
    draw();
  });
  canvas.addEventListener("pointerup", (event) => {
    const [box, at] = [view.box, place(event)];
    [from, view.box] = [null, null];
    if (box) {
      const inside = (value, one, other) => value >= Math.min(one, other) && value <= Math.max(one, other);
      select(view.x.map((x, point) => inside(x, box[0], box[2]) && inside(view.y[point], box[1], box[3])));
    } else {
      const point = nearest(...at, NEAR);
      if (point >= 0) play(point);
    }
    draw();
  });
  canvas.addEventListener("pointercancel", () => { [from, view.box] = [null, null]; draw(); });
  canvas.addEventListener("pointerleave", () => { byId("hover").hidden = true; });
  canvas.addEventListener("keydown", press);
}

const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

function press(event) {
  const field = chosenField();
  if (event.key in ARROWS) {
    const point = neighbour(...ARROWS[event.key]);
    if (point >= 0) play(point);
  } else if (event.key === " ") toggle();
  else if (event.key === "Escape") select(null);
  else if (event.key === "Enter" && field.choices && state.current >= 0 && state.current < count) {
    select(field.values.map((value) => value === field.values[state.current]));
  } else return;
  event.preventDefault();
}
