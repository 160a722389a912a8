// The page in a browser: `node page.mjs COMMAND CHROMIUM`, where COMMAND is the `neurons` command.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [command, executablePath] = process.argv.slice(2);
const server = spawn(command, ["serve", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
const profile = mkdtempSync(join(tmpdir(), "neurons-browser-"));
let context;
try {
  const [url] = await new Promise((resolve) => createInterface(server.stdout).once("line", (line) => resolve([line])));
  context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    acceptDownloads: true,
    permissions: ["clipboard-read", "clipboard-write"],
    viewport: { width: 1440, height: 900 },
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  });
  await test(url);
} finally {
  await context?.close();
  server.kill();
  rmSync(profile, { recursive: true, force: true });
}

async function test(url) {
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  // Refused by the page's policy, most likely.
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("request", (request) => {
    const isOwn = request.url().startsWith(url) || request.url().startsWith("blob:");
    if (!isOwn) errors.push(`a request to ${request.url()}`);
  });
  for (const step of [opens, everyNeuron, mistakes, parameters, ownSurrogates, planes, stimuli, links, saves, keyboard, narrow, hostile]) {
    await page.goto("about:blank");
    await page.goto(url);
    await settled(page);
    await step(page, url);
    assert.deepEqual(errors, [], step.name);
    console.log(`ok ${step.name}`);
  }
}

function picture(page, name) {
  return page.locator(`#${name} svg`).innerHTML();
}

/** Waits until everything is as asked. */
async function settled(page) {
  await page.waitForFunction(() => document.body.dataset.all && document.querySelectorAll("figure svg").length >= 4);
}

/** Does something, and returns when its picture is there: milliseconds from the key to the picture, and to all of them. */
async function timed(page, act) {
  await page.evaluate(() => {
    delete document.body.dataset.first;
    delete document.body.dataset.all;
  });
  await act();
  await page.waitForFunction(() => document.body.dataset.all);
  return page.evaluate(() => [Number(document.body.dataset.first), Number(document.body.dataset.all)]);
}

async function opens(page) {
  assert.equal(await page.locator("#trace svg").getAttribute("aria-label"), "Adaptive: response over time");
  assert.match(await page.locator("#state").textContent(), /^Adaptive: Adaptive exponential/);
  assert.ok((await page.locator("#equations math").count()) > 6);
  assert.match(await page.locator("#rust").textContent(), /pub fn bptt/);
  assert.match(await page.locator("#cuda").textContent(), /__global__/);
  assert.ok((await page.locator("#marked .keyword").count()) > 10);
  const unnamed = await page.evaluate(() => {
    const controls = [...document.querySelectorAll("button, select, input, textarea, [role=slider]")];
    const name = (node) =>
      node.getAttribute("aria-label") || node.getAttribute("aria-labelledby") ||
      [...(node.labels ?? [])].map((label) => label.textContent.trim()).join("") || node.textContent.trim();
    return controls.filter((node) => node.checkVisibility() && !name(node)).map((node) => node.outerHTML);
  });
  assert.deepEqual(unnamed, []);
}

async function everyNeuron(page) {
  const names = await page.locator("#start option").allTextContents();
  const times = [];
  for (const name of names.slice(1)) {
    await timed(page, () => page.locator("#start").selectOption({ label: name }));
    assert.equal(await page.locator("#trace svg").getAttribute("aria-label"), `${name}: response over time`);
    // Keys in a comment at the end, as in typing.
    const runs = [];
    await page.locator("#text").press("Control+End");
    for (const letter of ["/", "/", "a"]) {
      runs.push(await timed(page, () => page.keyboard.type(letter)));
    }
    const median = (place) => runs.map((run) => run[place]).sort((a, b) => a - b)[1];
    times.push([name, median(0), median(1)]);
  }
  console.log("from a key to its picture, and to all of them, ms (median of 3):");
  for (const [name, ...both] of times) {
    console.log(`  ${name.padEnd(18)}${both.map((time) => time.toFixed(0).padStart(6)).join("")}`);
  }
}

async function mistakes(page) {
  await page.locator("#text").fill("struct Lif {\n    charge = v + (x - v) / taw;\n    reset hard;\n}\n");
  const button = page.locator("#problems button");
  await button.waitFor();
  assert.equal(await button.textContent(), "Line 2, column 28");
  assert.match(await page.locator("#problems pre").textContent(), /taw;\n.*\^\^\^/);
  assert.equal(await page.locator("mark.error").textContent(), "taw");
  assert.equal(await page.locator("#state").textContent(), "1 error");
  assert.equal(await page.locator("#text").getAttribute("aria-invalid"), "true");
  await button.click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "text");
  await page.locator("#hint").waitFor();
  assert.match(await page.locator("#hint").textContent(), /`taw`/);
  // Typed where the mistake is: the hint goes with it.
  await page.keyboard.press("Delete");
  await page.keyboard.press("Delete");
  await page.keyboard.press("Delete");
  await page.keyboard.type("2.0");
  await page.waitForFunction(() => !document.querySelector("#problems li"));
  assert.ok(!(await page.locator("#hint").isVisible()));
  assert.equal(await page.locator("#trace svg").getAttribute("aria-label"), "Lif: response over time");
}

async function parameters(page) {
  await timed(page, () => page.locator("#start").selectOption({ label: "Lif" }));
  const before = await picture(page, "trace");
  const tau = page.locator("#parameters .slider").filter({ hasText: "tau" });
  await timed(page, () => tau.locator("input[type=number]").fill("20"));
  assert.notEqual(await picture(page, "trace"), before);
  assert.equal(await tau.locator("input[type=range]").getAttribute("aria-valuetext"), "20");
  await timed(page, () => tau.locator("button").click());
  assert.equal(await picture(page, "trace"), before);
  await tau.locator("input[type=number]").fill("0.5");
  await page.waitForFunction(() => document.getElementById("refused").textContent.includes("must satisfy `tau > 1.0`"));
  await timed(page, () => tau.locator("button").click());
  await timed(page, () => page.locator("#resets input[value=soft]").check());
  assert.notEqual(await picture(page, "trace"), before);
  const gradient = await picture(page, "gradient");
  await timed(page, () => page.locator("#surrogates").selectOption("Sigmoid"));
  assert.notEqual(await picture(page, "gradient"), gradient);
}

async function ownSurrogates(page) {
  const neuron = "neuron! { struct A { charge = v + (x - v) / 2.0; reset hard; } }\n";
  const own = (name, body) => `${neuron}surrogate! { surrogate ${name} { ${body} } }`;
  const text = page.locator("#text");
  const menu = page.locator("#surrogates");
  const steep = "param a = 8.0; primitive = sigmoid(a * u);";
  await text.fill(own("Steep", steep));
  await page.locator("#surrogates option", { hasText: "Steep" }).waitFor({ state: "attached" });
  await timed(page, () => menu.selectOption("Steep"));
  const gradient = await picture(page, "gradient");
  assert.match(gradient, /Steep\(a=8\)/);
  await timed(page, () => page.getByLabel("a, number", { exact: true }).fill("3"));
  assert.notEqual(await picture(page, "gradient"), gradient);
  // It stays chosen under another name, with what was set, and with other parameters.
  const shows = (title) =>
    page.waitForFunction((title) => document.querySelector("#gradient svg").innerHTML.includes(title), title);
  await text.fill(own("Flat", steep));
  await shows("Flat(a=3)");
  assert.equal(await menu.inputValue(), "Flat");
  await text.fill(own("Flat", "primitive = tanh(u);"));
  await shows("Flat()");
  await text.fill(neuron);
  await shows("ATan(alpha=2)");
  assert.ok(!(await page.locator("#refused").isVisible()));
  assert.equal(await page.locator("#surrogates option", { hasText: "Flat" }).count(), 0);
}

async function planes(page) {
  const select = page.getByLabel("States of the phase plane");
  assert.ok(!(await select.isVisible()));
  await timed(page, () => page.locator("#text").fill(
    "struct A {\n state a = 0.0;\n state b = 0.0;\n charge = v + (x - v) / 5.0 - a;\n update a = 0.9 * a + spike;\n" +
    " update b = 0.8 * b + a;\n reset hard;\n}",
  ));
  assert.deepEqual(await select.locator("option").allTextContents(), ["v, a", "v, b", "a, b"]);
  const before = await picture(page, "phase");
  await timed(page, () => select.selectOption("a, b"));
  assert.notEqual(await picture(page, "phase"), before);
  assert.match(await picture(page, "phase"), /b stays/);
  assert.equal(await select.locator("option:checked").textContent(), "a, b");
}

async function stimuli(page) {
  let last = await picture(page, "trace");
  for (const shape of ["ramp", "noise", "drawn", "step"]) {
    await timed(page, () => page.locator(`#shapes input[value=${shape}]`).check());
    const now = await picture(page, "trace");
    assert.notEqual(now, last, shape);
    last = now;
  }
  await timed(page, () => page.locator("#shapes input[value=drawn]").check());
  last = await picture(page, "trace");
  const box = await page.locator("#pad").boundingBox();
  await timed(page, async () => {
    await page.mouse.move(box.x + 20, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, box.y + 60, { steps: 4 });
    await page.mouse.up();
  });
  assert.notEqual(await picture(page, "trace"), last);
}

async function links(page, url) {
  await timed(page, () => page.locator("#start").selectOption({ label: "Izhikevich" }));
  await timed(page, () => page.getByLabel("d, number", { exact: true }).fill("2"));
  const trace = await picture(page, "trace");
  await page.locator("#share").click();
  await page.waitForFunction(() => location.hash.length > 10);
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(link.startsWith(`${url}#`) && link.length < 2000, link);
  await page.goto("about:blank");
  await page.goto(link);
  await settled(page);
  assert.equal(await picture(page, "trace"), trace);
  await page.goto("about:blank");
  await page.goto(`${url}#nothing`);
  await settled(page);
  assert.equal(await page.locator("#said").textContent(), "The link cannot be read");
}

async function saves(page) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.locator("#trace .save").click({ force: true }),
  ]);
  assert.equal(download.suggestedFilename(), "Adaptive-trace.svg");
  assert.match(await readFile(await download.path(), "utf8"), /^<svg [^]*membrane potential v \(mV\)[^]*<\/svg>\s*$/);
}

async function keyboard(page) {
  await timed(page, () => page.locator("#shapes input[value=drawn]").check());
  await page.locator("#pad").focus();
  await page.keyboard.press("ArrowRight");
  await timed(page, () => page.keyboard.press("ArrowUp"));
  assert.match(await page.locator("#pad").getAttribute("aria-valuetext"), /^point 2 of 64: .* pA$/);
  await timed(page, async () => {
    await page.locator("#parameters input[type=range]").first().focus();
    await page.keyboard.press("ArrowRight");
  });
  // Tab leaves the editor, Enter keeps the indentation.
  await page.locator("#text").fill("struct A {\n    charge = v + x;");
  await page.locator("#text").press("Control+End");
  await page.keyboard.press("Enter");
  await page.keyboard.type("reset hard;");
  assert.equal(await page.locator("#text").inputValue(), "struct A {\n    charge = v + x;\n    reset hard;");
  await page.keyboard.press("Tab");
  assert.notEqual(await page.evaluate(() => document.activeElement.id), "text");
  await page.locator("#theme").press("Enter");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.locator("#theme").press("Enter");
}

async function narrow(page) {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForFunction(() => document.querySelector("#trace svg").getAttribute("width") < 390);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(overflow, 0);
  await page.setViewportSize({ width: 1440, height: 900 });
}

async function hostile(page) {
  await page.locator("#text").fill(
    "struct A { /// <img src=x onerror=document.body.remove()>\u0001, mV.\n state w = 0.0;\n" +
    " charge = v + x - w; update w = 0.5 * w + spike; reset hard; }",
  );
  await page.waitForFunction(() => document.querySelector("#trace svg")?.getAttribute("aria-label").startsWith("A:"));
  assert.equal(await page.locator("img, parsererror").count(), 0);
  // Neither an unclosed comment nor an unclosed string is searched for again and again.
  const start = Date.now();
  await page.locator("#text").fill("/*".repeat(15000) + `"\\"`.repeat(10000));
  await page.waitForFunction(() => document.querySelector("#problems li"));
  assert.ok(Date.now() - start < 10000);
  await page.locator("#text").fill("(".repeat(1000));
  await page.waitForFunction(() => document.getElementById("problems").textContent.includes("nested more than 256 deep"));
}
