// The programs that a test needs, started on free loopback ports and ended by their handles.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const HERE = new URL('.', import.meta.url).pathname;
const PROGRAM = process.env.WEBCHAT ?? join(process.env.CARGO_TARGET_DIR ?? join(HERE, '../target'), 'debug/webchat');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Looks again and again, for at most 15 seconds. */
export async function until(what, isSo) {
  for (const started = Date.now(); Date.now() - started < 15_000; await wait(50)) {
    const found = await isSo();
    if (found) return found;
  }
  throw new Error(`not in 15 seconds: ${what}`);
}

export function freePort() {
  return new Promise((done, failed) => {
    const server = createServer().once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export function folder(context) {
  const dir = mkdtempSync(join(tmpdir(), 'webchat-test-'));
  context.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

class Running {
  constructor(program, args) {
    this.said = '';
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = new Promise((done) => this.child.once('close', done).once('error', done));
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (text) => (this.said += text));
  }

  hears(text) {
    return until(`"${text}" from ${this.child.spawnfile}, which says\n${this.said}`, () => this.said.includes(text));
  }

  async end(signal = 'SIGTERM') {
    this.child.kill(signal);
    await Promise.race([this.ended, wait(5_000).then(() => this.child.kill('SIGKILL'))]);
    await this.ended;
  }
}

/** The chat's server; `url` is where its page is. */
export async function startChat(context, args, { listen = '127.0.0.1:0', websocketPort } = {}) {
  websocketPort ??= await freePort();
  const server = new Running(PROGRAM, ['--listen', listen, '--websocket-port', String(websocketPort), ...args]);
  context.after(() => server.end());
  await server.hears('The chat is at ');
  const [, url] = /The chat is at (\S+)/.exec(server.said);
  return { server, url, websocketPort };
}

export async function startMosquitto(context, dir) {
  const program = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find(existsSync) ?? 'mosquitto';
  const broker = new Running(program, ['-c', join(dir, 'mosquitto.conf')]);
  context.after(() => broker.end('SIGKILL'));
  await broker.hears(' running\n');
  return broker;
}

/** One browser; everybody has a window of their own, which knows nothing of the others. */
export async function startBrowser(context) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET, timeout: 60_000 });
  context.after(() => browser.close());
  return browser;
}

/** A picture for people to look at, where they ask for it. */
export async function shoot(page, name) {
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), animations: 'disabled' });
}
