// What a person sees who starts the server: which broker it uses, and what is missing.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { aliceAndBob } from './person.js';
import { folder, freePort, PROGRAM, Running, startBrowser, startChat, takenPort, TIME } from './processes.js';

/** A machine on which no program can be found: no Mosquitto, and no npm. */
const nothing = (context) => ({ ...process.env, PATH: folder(context) });

test('without a Mosquitto on the machine, two talk over the small broker', TIME, async (context) => {
  const { server, url } = await startChat(context, [], { env: nothing(context) });
  assert.match(server.said, /There is no Mosquitto on this machine \(Debian: apt install mosquitto\)\./);
  assert.match(server.said, /The broker is the small one among these examples/);
  const browser = await startBrowser(context);
  const { alice, bob } = await aliceAndBob(context, browser, url);
  await alice.opens('Bob');
  await alice.sends('你好');
  await bob.opens('爱丽丝');
  await bob.reads('你好');
  await bob.sends('好');
  await alice.reads('好');
});

/** The group of a process, to which a terminal sends its signals. */
const groupOf = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[2];

test('a Mosquitto is named, and goes with the server and its files', TIME, async (context) => {
  const dir = folder(context);
  const websocketPort = await freePort();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL']) {
    const { server } = await startChat(context, [], { websocketPort, env: { ...process.env, TMPDIR: dir } });
    assert.match(server.said, new RegExp(`The broker is a Mosquitto that was started for this chat: \\S*mosquitto, port ${websocketPort}\\.`));
    assert.equal(readdirSync(dir).length, 1);
    const [files] = readdirSync(dir);
    const broker = readFileSync(`${dir}/${files}/mosquitto.pid`, 'utf8').trim();
    assert.equal(groupOf(broker), broker, 'Ctrl-C in a terminal does not reach it');
    const status = await server.end(signal);
    assert.equal(status, signal === 'SIGKILL' ? null : 0, signal);
    if (signal !== 'SIGKILL') assert.deepEqual(readdirSync(dir), []);
  }
});

/** Its exit status and its output. */
async function fails(args, env = process.env) {
  const running = new Running(PROGRAM, args, { env });
  return [await running.ended, running.said];
}

test('what is in the way is said', TIME, async (context) => {
  const taken = await takenPort(context);
  const temporary = mkdtempSync(`${folder(context)}/`);
  const env = { ...process.env, TMPDIR: temporary };
  const page = await fails(['--listen', `127.0.0.1:${taken}`], env);
  assert.equal(page[0], 1);
  assert.match(page[1], new RegExp(`cannot listen on 127.0.0.1:${taken}: .*in use.*--listen`));
  const broker = await fails(['--listen', '127.0.0.1:0', '--websocket-port', String(taken)], env);
  assert.equal(broker[0], 1);
  assert.match(broker[1], new RegExp(`the broker's port ${taken}: .*in use.*--websocket-port`));
  assert.deepEqual(readdirSync(temporary), []);
  for (const args of [['--listen', '0.0.0.0:8080'], ['--broker', '127.0.0.1:1883'], ['--group', 'a/b'], ['--what']]) {
    const [status, said] = await fails(args);
    assert.equal(status, 1);
    assert.match(said, /^webchat: .*\n\nA chat for the browser/);
  }
  assert.equal((await fails(['--help']))[0], 0);
});
