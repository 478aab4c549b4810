// Windows that are reloaded, duplicated, or older than the server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aliceAndBob, Person } from './person.js';
import { folder, freePort, startBrowser, startChat, startMosquitto, TIME, until } from './processes.js';
import { Raw } from './raw.js';

test('two people in two tabs of one window', TIME, async (context) => {
  const { url } = await startChat(context, []);
  const browser = await startBrowser(context);
  const alice = await Person.comes(context, browser, url, 'Alice');
  const bob = await Person.comes(context, browser, url, 'Bob', { window: alice.window });
  const [one, other] = [await alice.ticket(), await bob.ticket()];
  assert.notEqual(one.password, other.password);

  await context.test('what is said while a tab is behind the other is marked', async () => {
    await alice.page.bringToFront();
    await alice.opens('Bob');
    await alice.sends('hello');
    assert.equal(await bob.unread('Alice'), 1);
    await bob.page.bringToFront();
    await bob.opens('Alice');
    await bob.reads('hello');
    await bob.hasNothingUnread();
  });

  await context.test('a reload keeps the name, the talk that was open, its history, and what was read', async () => {
    await alice.opens('大厅');
    await alice.sends('not read yet');
    assert.equal(await bob.unread('大厅'), 1);
    await bob.page.reload();
    await bob.isConnected();
    await bob.reads('hello');
    assert.equal(await bob.page.locator('#talk-name').textContent(), 'Alice');
    assert.equal(await bob.unread('大厅'), 1);
    assert.equal(await bob.page.locator('.badge').count(), 1);
    await bob.sends('back');
    await alice.sees('Bob');
    assert.deepEqual(await bob.textsWith('Alice', '大厅'), ['hello', 'back']);
  });

  await context.test('a name is taken while somebody has it', async () => {
    const page = await alice.window.newPage();
    await page.goto(url);
    const third = new Person('bob', alice.window, page);
    await third.signsIn();
    await until('it is said', async () => /已被使用/.test(await page.locator('#sign-in-error').textContent()));
    await third.signsIn('a/b');
    await until('it is said', async () => /名字由/.test(await page.locator('#sign-in-error').textContent()));
    await third.signsIn('Third');
    await third.isConnected();
    await third.sees('Bob');
  });

  await context.test('a copy of a tab shows the same, and goes with it', async () => {
    // What a browser does when somebody duplicates a tab.
    const [copy] = await Promise.all([
      bob.window.waitForEvent('page'),
      bob.page.evaluate(() => void open(location.href, '_blank', 'popup')),
    ]);
    const twin = new Person('Bob', bob.window, copy);
    await copy.waitForLoadState();
    await twin.isConnected();
    await alice.opens('Bob');
    await alice.sends('to both');
    await twin.opens('Alice');
    await twin.reads('to both');
    await bob.reads('to both');
    await bob.page.locator('#sign-out').click();
    await until('both have signed out', () => copy.locator('#name').isVisible());
    await until('Bob is gone', async () => (await alice.entry('Bob').locator('.avatar').getAttribute('data-here')) === 'false');
  });
});

for (const kind of ['Mosquitto', 'a Mosquitto of its own', 'the small broker']) {
  test(`a server that starts again finds everybody again, with ${kind}`, TIME, async (context) => {
    const dir = folder(context);
    const args = { 'Mosquitto': ['--broker', `127.0.0.1:${await freePort()}`, '--files', dir], 'the small broker': ['--own-broker'] }[kind] ?? [];
    const listen = `127.0.0.1:${await freePort()}`;
    const first = await startChat(context, args, { listen });
    if (kind === 'Mosquitto') await startMosquitto(context, dir);
    const browser = await startBrowser(context);
    const { alice, bob } = await aliceAndBob(context, browser, first.url);
    await alice.opens('Bob');
    await alice.sends('before');
    const old = await alice.ticket();
    await first.server.end('SIGKILL');
    await alice.writes('meanwhile');
    assert.equal(await alice.fate('meanwhile'), 'failed');

    const again = await until('its ports are free', () => startChat(context, args, { listen, websocketPort: first.websocketPort }));
    // Nobody does anything: the pages recover by themselves.
    await until('Alice has signed in anew', async () => (await alice.ticket()).token !== old.token);
    await Promise.all([alice.isConnected(), bob.isConnected()]);
    await Promise.all([alice.sees('Bob'), bob.sees('爱丽丝')]);
    await alice.page.keyboard.press('Alt+r');
    assert.equal(await alice.fate('meanwhile'), 'sent');
    await alice.sends('after');
    await bob.opens('爱丽丝');
    await bob.reads('after');
    assert.deepEqual(await bob.textsWith('爱丽丝', '大厅'), ['before', 'meanwhile', 'after']);
    const connack = await (await Raw.connect(alice.page, again.port, old)).gets('connack');
    assert.ok([4, 5].includes(connack.body[1]), 'the old password is not worth anything any more');
  });
}
