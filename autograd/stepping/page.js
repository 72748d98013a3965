"use strict";
// Shows the stops of a graph. Text from the data is only ever set as textContent.
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const stops = data.stops.map(([forward, at, edges, reveals, rule, note]) => ({
    forward, at, edges, reveals: reveals.map(([box, text, complete]) => ({ box, text, complete })), rule, note,
  }));
  const picture = $("picture"), paper = $("paper"), slider = $("slider"), play = $("play");
  const reduced = matchMedia("(prefers-reduced-motion: reduce)");
  const end = stops.length - 1;

  // The picture: each box with the number above and the number below its title.
  const boxes = new Map(data.boxes.map(([id, isGroup]) => {
    const element = $(id);
    const texts = [...element.querySelectorAll("text")];
    const centre = middle(element.querySelector("ellipse, path, polygon"));
    for (const text of texts) {
      text.setAttribute("x", centre);
      text.setAttribute("text-anchor", "middle");
    }
    const [above, below] = [texts[isGroup ? texts.length - 2 : 0], texts[texts.length - 1]];
    for (const text of [above, below]) text.classList.add("hidden");
    element.classList.add("pending", "future");
    return [id, { element, above, below }];
  }));
  for (const label of picture.querySelectorAll(".edge text")) label.classList.add("hidden");
  for (const edge of picture.querySelectorAll(".edge")) edge.classList.add("future");

  /** The middle between left and right of a shape, from its numbers alone: it may not be visible yet. */
  function middle(shape) {
    if (shape.hasAttribute("cx")) return Number(shape.getAttribute("cx"));
    const numbers = (shape.getAttribute("d") || shape.getAttribute("points")).match(/-?[\d.]+/g).map(Number);
    const x = numbers.filter((_, i) => i % 2 === 0);
    return (Math.min(...x) + Math.max(...x)) / 2;
  }

  // Stepping: every stop can be done, and undone by what it found.
  const undo = [];
  let position = -1, playing = 0;

  function apply(stop) {
    const found = [];
    const change = (element, classes, text) => {
      found.push([element, element.getAttribute("class") || "", text === null ? null : element.textContent]);
      for (const [name, on] of Object.entries(classes)) element.classList.toggle(name, on);
      if (text !== null) element.textContent = text;
    };
    for (const { box, text, complete } of stop.reveals) {
      const { element, above, below } = boxes.get(box);
      change(element, stop.forward ? { future: false } : { pending: !complete }, null);
      if (text !== null || complete) change(stop.forward ? above : below, { hidden: false }, text);
    }
    for (const id of stop.edges) {
      if (stop.forward) change($(id), { future: false }, null);
      else for (const label of $(id).querySelectorAll("text")) change(label, { hidden: false }, null);
    }
    undo.push(found);
  }

  function revert() {
    for (const [element, classes, text] of undo.pop().reverse()) {
      element.setAttribute("class", classes);
      if (text !== null) element.textContent = text;
    }
  }

  let marked = [];
  function mark(stop) {
    const reached = stop.forward ? [] : stop.reveals.map((reveal) => $(reveal.box));
    marked = [$(stop.at), ...stop.edges.map($), ...reached];
    for (const element of marked) element.classList.add("now");
    for (const element of reached) element.classList.add("reached");
  }
  function unmark() {
    for (const element of marked) element.classList.remove("now", "reached");
    marked = [];
  }

  function go(to) {
    to = Math.max(0, Math.min(end, to));
    const animate = to === position + 1;
    unmark();
    while (position < to) apply(stops[++position]);
    while (position > to) { revert(); position--; }
    const stop = stops[position];
    mark(stop);
    write(stop);
    reveal(stop);
    if (animate && !reduced.matches) pulse(stop);
  }

  // The rule and the controls.
  function span(parent, role, text) {
    const element = parent.appendChild(document.createElement("span"));
    element.className = role;
    element.textContent = text;
    return element;
  }

  function write(stop) {
    document.documentElement.classList.toggle("backward", !stop.forward);
    $("phase").textContent = stop.forward ? "Forward" : "Backward";
    $("count").textContent = `step ${position + 1} of ${end + 1}`;
    const rule = $("rule");
    rule.textContent = "";
    for (const [role, ...texts] of stop.rule) {
      if (role === "d") {
        const fraction = span(rule, "frac", "");
        span(fraction, "top", "∂" + texts[0]);
        span(fraction, "slash", "/");
        span(fraction, "bottom", "∂" + texts[1]);
      } else span(rule, role, texts[0]);
    }
    rule.lastChild.classList.add("result");
    $("note").textContent = stop.note;
    slider.value = position;
    slider.setAttribute("aria-valuetext", `${$("phase").textContent}, ${$("count").textContent}`);
    $("first").disabled = $("previous").disabled = position === 0;
    $("next").disabled = $("last").disabled = position === end;
  }

  // Playing.
  function pause() {
    clearTimeout(playing);
    playing = 0;
    document.documentElement.classList.remove("playing");
    play.setAttribute("aria-label", "Play");
    $("live").setAttribute("aria-live", "polite");
  }
  function tick() {
    if (position === end) return pause();
    playing = setTimeout(() => { go(position + 1); tick(); }, 1200 / Number($("speed").value));
  }
  function start() {
    if (position === end) go(0);
    document.documentElement.classList.add("playing");
    play.setAttribute("aria-label", "Pause");
    $("live").setAttribute("aria-live", "off"); // a screen reader could not keep up
    tick();
  }

  // Size: all of the picture at once, unless that made it too small to read; then the paper scrolls.
  const natural = 4 / 3, readable = 1, smallest = 0.75; // pixels for each of its points
  const [, , width, height] = picture.getAttribute("viewBox").split(" ").map(Number);
  function fit() {
    const around = 20; // padding and border; what the scroll bars take does not count, for they go where the picture fits
    const room = Math.min((paper.offsetWidth - around) / width, (paper.offsetHeight - around) / height);
    const scale = room < smallest ? readable : Math.min(natural, room);
    picture.style.width = `${width * scale}px`;
    picture.style.height = `${height * scale}px`;
    if (position >= 0) reveal(stops[position]);
  }

  function reveal(stop) {
    if (paper.scrollWidth <= paper.clientWidth && paper.scrollHeight <= paper.clientHeight) return;
    const frame = paper.getBoundingClientRect();
    const box = $(stop.reveals[0].box).getBoundingClientRect();
    const margin = 40;
    if (box.left < frame.left + margin || box.right > frame.right - margin || box.top < frame.top + margin || box.bottom > frame.bottom - margin)
      paper.scrollBy({
        left: (box.left + box.right - frame.left - frame.right) / 2, top: (box.top + box.bottom - frame.top - frame.bottom) / 2,
        behavior: reduced.matches || playing ? "auto" : "smooth",
      });
  }

  // A dot runs along each edge of the stop, in the direction in which its number travels.
  let running = 0;
  function pulse(stop) {
    cancelAnimationFrame(running);
    $("pulse")?.remove();
    if (!stop.edges.length || stop.edges.length > 12) return;
    const layer = document.createElementNS(picture.namespaceURI, "g");
    layer.id = "pulse";
    const runs = stop.edges.map((id) => {
      const path = $(id).querySelector("path");
      const dot = layer.appendChild(document.createElementNS(picture.namespaceURI, "circle"));
      dot.setAttribute("r", 3.5);
      return { path, dot, length: path.getTotalLength() };
    });
    picture.querySelector("g").append(layer);
    let begin = null;
    running = requestAnimationFrame(function frame(now) {
      begin ??= now;
      const t = Math.min(1, (now - begin) / 350);
      for (const { path, dot, length } of runs) {
        const { x, y } = path.getPointAtLength(length * (stop.forward ? t : 1 - t));
        dot.setAttribute("cx", x);
        dot.setAttribute("cy", y);
      }
      if (t < 1) running = requestAnimationFrame(frame);
      else layer.remove();
    });
  }

  const moves = {
    first: () => go(0), previous: () => go(position - 1), next: () => go(position + 1), last: () => go(end),
  };
  for (const [id, move] of Object.entries(moves)) $(id).addEventListener("click", () => { pause(); move(); });
  play.addEventListener("click", () => (playing ? pause() : start()));
  slider.max = end;
  slider.addEventListener("input", () => { pause(); go(Number(slider.value)); });
  const keys = { Home: "first", ArrowLeft: "previous", ArrowRight: "next", End: "last" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.tagName === "SELECT") return;
    if (event.key in keys) { pause(); moves[keys[event.key]](); }
    else if (event.key === " " && event.target.tagName !== "BUTTON") playing ? pause() : start();
    else return;
    event.preventDefault();
  });
  fit();
  go(0);
  new ResizeObserver(fit).observe(paper); // the window changes its size, and so does a rule of more lines
})();
