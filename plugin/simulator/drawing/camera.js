"use strict";
// Draws what /state.json says, four times a second, and tells the camera what is done to it.

const LOOK_MS = 250;
const TONE_MS = { short: 150, long: 600 };
const PAUSE_MS = 150;
const LIGHTS = {
  docking: "1 Docking status", recording: "2 Recording status", operation: "3 Operation status",
  battery: "4 Battery status", storage: "5 Storage status", microphone: "6 Microphone",
  extension: "7 Camera extension", front: "Front indicator",
};
const FAULTS = {
  operation: "Software or operational error", storage: "Faulty storage", sensor: "Faulty sensor camera",
  "sensor-port": "Faulty connection of the extension", docking: "General error in the dock",
  upload: "Content does not reach the controller", charging: "The battery does not charge",
};
const STATES = {
  new: "not added to a system", shipping: "in shipping mode", unassigned: "assigned to nobody",
  ready: "assigned", locked: "locked", error: "in error",
};
const PHASES = { off: "Off", restarting: "Restarting", starting: "Starting", on: "On" };

const $ = (id) => document.getElementById(id);
let lastHeard = null;
let lastRepeat = 0;
let sound = null;
let queue = Promise.resolve();

// One after the other: a release must not overtake its press.
function act(path) {
  queue = queue.then(() => send(path));
  return queue;
}

async function send(path) {
  const answer = await fetch(path, { method: "POST", headers: { "X-Bodyworn-Camera": "1" } });
  $("problem").textContent = answer.ok ? "" : await answer.text();
  await look();
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function words(seen) {
  const parts = [PHASES[seen.phase]];
  if (seen.docked) parts.push("in the dock");
  if (seen.recording) parts.push("recording");
  if (seen.silent) parts.push("silent mode");
  parts.push(STATES[seen.state] || seen.state, `battery ${seen.battery_percent} %`, `recordings on it: ${seen.recordings}`);
  return parts.join(", ") + ".";
}

function draw(seen) {
  setText($("serial"), seen.serial);
  setText($("words"), words(seen));
  $("body").classList.toggle("docked", seen.docked);
  $("plug").classList.toggle("there", seen.charger);
  for (const part of ["cable", "sensor"]) $(part).classList.toggle("there", seen.extension);
  for (const name of Object.keys(LIGHTS)) {
    const lit = seen.lights[name];
    const wanted = lit ? `${lit.colour} ${lit.pattern}` : "";
    const light = document.querySelector(`[data-light=${name}]`);
    if (light.getAttribute("class") !== wanted) light.setAttribute("class", wanted);
    setText($(`word-${name}`), lit ? `${lit.pattern === "steady" ? "" : lit.pattern + " "}${lit.colour}` : "dark");
  }
  for (const button of document.querySelectorAll("[data-on]")) {
    setText(button, button.dataset.words.split("|")[seen[button.dataset.of] ? 1 : 0]);
    button.dataset.now = seen[button.dataset.of] ? button.dataset.off : button.dataset.on;
  }
  for (const box of document.querySelectorAll("[data-fault]")) box.checked = seen.faults.includes(box.dataset.fault);
}

function play(heard) {
  const line = document.createElement("li");
  line.textContent = `beep: ${heard.beep.join(", ")}; buzz: ${heard.buzz.join(", ")}`;
  $("heard").prepend(line);
  while ($("heard").children.length > 5) $("heard").lastChild.remove();
  let at = 0;
  for (const tone of heard.buzz) {
    setTimeout(() => $("camera").classList.add("buzz"), at);
    setTimeout(() => $("camera").classList.remove("buzz"), at + TONE_MS[tone]);
    at += TONE_MS[tone] + PAUSE_MS;
  }
  if (sound) beep(heard.beep);
}

function beep(tones) {
  let at = sound.currentTime;
  for (const tone of tones) {
    const voice = sound.createOscillator();
    const volume = sound.createGain();
    volume.gain.value = 0.1;
    voice.frequency.value = 1400;
    voice.connect(volume).connect(sound.destination);
    voice.start(at);
    voice.stop(at + TONE_MS[tone] / 1000);
    at += (TONE_MS[tone] + PAUSE_MS) / 1000;
  }
}

function listen(seen) {
  const newest = seen.heard.length ? seen.heard[seen.heard.length - 1].at : 0;
  if (lastHeard !== null) for (const heard of seen.heard) if (heard.at > lastHeard) play(heard);
  lastHeard = newest;
  if (seen.repeating && Date.now() - lastRepeat > seen.again_seconds * 1000) {
    lastRepeat = Date.now();
    play(seen.repeating);
  }
}

async function look() {
  try {
    const seen = await (await fetch("/state.json")).json();
    draw(seen);
    listen(seen);
  } catch {
    setText($("words"), "The camera does not answer. Is the program that it runs in still there?");
  }
}

function hold(button) {
  const name = button.dataset.button;
  let since = null;
  let counting = null;
  const down = (event) => {
    if (since !== null || event.repeat) return;
    event.preventDefault();
    button.focus();
    since = Date.now();
    button.classList.add("down");
    counting = setInterval(() => { $("held").textContent = `held for ${Math.floor((Date.now() - since) / 1000)} s`; }, 200);
    act(`/press/${name}`);
  };
  const up = () => {
    if (since === null) return;
    since = null;
    clearInterval(counting);
    $("held").textContent = "";
    button.classList.remove("down");
    act(`/release/${name}`);
  };
  button.addEventListener("pointerdown", (event) => { button.setPointerCapture(event.pointerId); down(event); });
  button.addEventListener("pointerup", up);
  button.addEventListener("pointercancel", up);
  button.addEventListener("blur", up);
  button.addEventListener("keydown", (event) => { if (event.key === " " || event.key === "Enter") down(event); });
  button.addEventListener("keyup", (event) => { if (event.key === " " || event.key === "Enter") up(); });
}

for (const [name, label] of Object.entries(LIGHTS)) {
  const term = document.createElement("dt");
  const word = document.createElement("dd");
  term.textContent = label;
  word.id = `word-${name}`;
  $("lights").append(term, word);
}
for (const [name, label] of Object.entries(FAULTS)) {
  const line = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.dataset.fault = name;
  box.addEventListener("change", () => act(`/fault/${name}/${box.checked ? "on" : "off"}`));
  line.append(box, ` ${label}`);
  $("faults").append(line);
}
document.querySelectorAll("[data-button]").forEach(hold);
for (const button of document.querySelectorAll("[data-on]")) button.addEventListener("click", () => act(button.dataset.now));
$("aloud").addEventListener("change", (event) => { sound = event.target.checked ? new AudioContext() : null; });
look();
setInterval(look, LOOK_MS);
