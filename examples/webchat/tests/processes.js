// The programs that a test needs, started on free loopback ports and ended by their handles.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const HERE = new URL('.', import.meta.url).pathname;
export const PROGRAM = process.env.WEBCHAT ?? join(process.env.CARGO_TARGET_DIR ?? join(HERE, '../target'), 'debug/webchat');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

/** The time limit of a test. The machine may be slow and busy: this only ends tests that hang. */
export const TIME = { timeout: 600_000 };
const TIMEOUT = 90_000;

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Tries again and again, and returns what it has found; an error counts as nothing found. */
export async function until(what, isSo) {
  let error;
  for (const started = Date.now(); Date.now() - started < TIMEOUT; await wait(50)) {
    const found = await Promise.resolve().then(isSo).catch((caught) => void (error = caught));
    if (found) return found;
  }
  throw new Error(`not in ${TIMEOUT / 1_000} seconds: ${what}`, { cause: error });
}

/**
 * Ports that the system does not assign to connections: one is still free when a server is started later, or restarted.
 * Browsers refuse 10080.
 */
const PORTS = { first: 10_100, count: 21_900 };
// Test files that run side by side start far apart.
let nextPort = process.pid * 61;

/** A loopback port that nobody listens on now. */
export async function freePort() {
  for (let tried = 0; tried < PORTS.count; tried += 1) {
    const port = PORTS.first + (nextPort++ % PORTS.count);
    if (await isFree(port)) return port;
  }
  throw new Error('no free loopback port');
}

function isFree(port) {
  return new Promise((done) => {
    const server = createServer().once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

/** Occupies a port, as another program might. */
export function takenPort(context) {
  return new Promise((done, failed) => {
    const server = createServer().once('error', failed);
    context.after(() => server.close());
    server.listen(0, '127.0.0.1', () => done(server.address().port));
  });
}

export function folder(context) {
  const dir = mkdtempSync(join(tmpdir(), 'webchat-test-'));
  context.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export class Running {
  constructor(program, args, options = {}) {
    this.said = '';
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    // Its exit status; `null` if it could not be started at all.
    this.ended = new Promise((done) => this.child.once('close', done).once('error', () => done(null)));
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (text) => (this.said += text));
  }

  /** Waits until it prints this text. */
  async hears(text) {
    let hasEnded = false;
    this.ended.then(() => (hasEnded = true));
    await until(`"${text}" from ${this.child.spawnfile}`, () => this.said.includes(text) || hasEnded);
    if (!this.said.includes(text)) throw new Error(`${this.child.spawnfile} has ended, and said:\n${this.said}`);
  }

  async end(signal = 'SIGTERM') {
    this.child.kill(signal);
    const tooLong = setTimeout(() => this.child.kill('SIGKILL'), TIMEOUT);
    const status = await this.ended;
    clearTimeout(tooLong);
    return status;
  }
}

/** The chat's server; `url` is the address of its page, `port` the one where its broker accepts browsers. */
export async function startChat(context, args, { listen = '127.0.0.1:0', websocketPort, env = process.env } = {}) {
  websocketPort ??= await freePort();
  const server = new Running(PROGRAM, ['--listen', listen, '--websocket-port', String(websocketPort), ...args], { env });
  context.after(() => server.end());
  await server.hears('The chat is at ');
  const [, url] = /The chat is at (\S+)/.exec(server.said);
  const isOwn = server.said.includes('The broker is the small one');
  return { server, url, websocketPort, port: isOwn ? Number(new URL(url).port) : websocketPort };
}

/** A Mosquitto that a test stops and starts, and the chat that uses it. */
export async function startBoth(context) {
  const dir = folder(context);
  const chat = await startChat(context, ['--broker', `127.0.0.1:${await freePort()}`, '--files', dir]);
  const start = () => startMosquitto(context, dir);
  return { ...chat, start, broker: await start() };
}

export async function startMosquitto(context, dir) {
  const program = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find(existsSync) ?? 'mosquitto';
  const broker = new Running(program, ['-c', join(dir, 'mosquitto.conf')]);
  context.after(() => broker.end('SIGKILL'));
  await broker.hears(' running\n');
  return broker;
}

/** One browser; each person has a window of their own, which shares nothing with the others. */
export async function startBrowser(context) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET, timeout: TIMEOUT });
  context.after(() => browser.close());
  return browser;
}

/** A screenshot for people to look at, if requested. */
export async function shoot(page, name) {
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), animations: 'disabled' });
}
