// Pictures are binary messages: what one person sends is what the other receives, byte by byte.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { GIF, landscape, noise } from './paint.js';
import { aliceAndBob, Person } from './person.js';
import { startBoth, startBrowser, startChat, TIME, until } from './processes.js';
import { Raw } from './raw.js';
import { picture, send, sendEndlessPicture, sendPicture } from './requests.js';

const LIMIT = 256 * 1_024;

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');

for (const [name, args] of [['Mosquitto', []], ['the small broker', ['--own-broker']]]) {
  test(`pictures over ${name}`, TIME, async (context) => {
    const { url, port } = await startChat(context, args);
    const browser = await startBrowser(context);
    const { alice, bob } = await aliceAndBob(context, browser, url);
    const [me, you] = [await alice.ticket(), await bob.ticket()];
    await alice.opens('Bob');
    await bob.opens('爱丽丝');
    const spy = await Raw.connect(alice.page, port, me);
    await spy.subscribe(me.name);
    await spy.gets('suback');
    const sent = [];

    await context.test('each of the four types arrives as it was sent', async () => {
      for (const type of ['image/png', 'image/jpeg', 'image/webp', 'image/gif']) {
        const bytes = type === 'image/gif' ? GIF : await landscape(bob.page, type);
        await bob.picks(bytes, type);
        assert.equal(hash(await alice.saves(sent.length)), hash(bytes), type);
        sent.push(bytes);
      }
    });

    await context.test('what is on the topic is a line of JSON, and the bytes behind it', async () => {
      const published = await until('all are there', async () => {
        const messages = await spy.published();
        return messages.length === sent.length && messages;
      });
      for (const [index, { topic, payload }] of published.entries()) {
        const end = payload.indexOf('\n');
        const { to, from, time, id, type, ...rest } = JSON.parse(payload.subarray(0, end).toString());
        assert.deepEqual([topic, to, from, rest], [me.name, me.name, 'Bob', {}]);
        assert.ok(Number.isInteger(time) && /^[0-9a-f]{32}$/.test(id) && /^image\//.test(type));
        assert.equal(hash(payload.subarray(end + 1)), hash(sent[index]));
      }
    });

    await context.test('they are there after a reload, with both', async () => {
      for (const [person, other] of [[alice, 'Bob'], [bob, '爱丽丝']]) {
        await person.page.reload();
        await person.isConnected();
        await person.opens(other);
        for (const [index, bytes] of sent.entries()) assert.equal(hash(await person.saves(index)), hash(bytes));
        assert.equal(await person.page.locator('#messages .picture').count(), sent.length);
      }
    });

    await context.test('one of the greatest size passes, one byte more does not', async () => {
      const largest = Buffer.concat([GIF, randomBytes(LIMIT - GIF.length)]);
      await bob.picks(largest, 'image/gif');
      assert.equal(hash(await alice.saves(sent.length)), hash(largest));
      await bob.picks(Buffer.concat([largest, Buffer.from([0])]), 'image/gif');
      await bob.trouble(/图片大于 256 KiB/);
      const envelope = { to: me.name, from: 'Bob', time: 1, id: 'large' };
      const { status, msg, why } = await sendPicture(url, you.token, envelope, Buffer.concat([largest, Buffer.from([0])]));
      assert.deepEqual([status, msg, why], [413, '连接失败', 'this is too large']);
      // The size is counted while it is read.
      const endless = await sendEndlessPicture(url, you.token, envelope);
      assert.ok([413, 0].includes(endless.status), `${endless.status}`);
      assert.ok(endless.sent < 64 * LIMIT, `${endless.sent} bytes were sent`);
    });

    await context.test('one that is too large is made smaller', async () => {
      const large = await noise(bob.page, 1_000, 800);
      assert.ok(large.length > 2 * LIMIT);
      await bob.picks(large, 'image/png');
      const small = await alice.saves(sent.length + 1);
      assert.ok(small.length <= LIMIT && small.readUInt16BE(0) === 0xffd8, `${small.length} bytes`);
    });

    await context.test('what is no picture is refused', async () => {
      for (const [bytes, type] of [['no', 'image/png'], ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml'], ['<b>', 'text/html']]) {
        await bob.picks(GIF, 'image/gif');
        await bob.trouble(/^$/);
        await bob.picks(Buffer.from(bytes), type, 'p');
        await bob.trouble(/不是图片/);
        const envelope = { to: me.name, from: 'Bob', time: 1, id: 'none' };
        const { status, msg } = await sendPicture(url, you.token, envelope, Buffer.from(bytes));
        assert.deepEqual([status, msg], [415, '连接失败']);
      }
      assert.equal(await bob.page.locator('.mine[data-state=failed]').count(), 0);
    });

    await context.test('they are for those to whom they were sent', async () => {
      const envelope = { to: me.name, from: 'Bob', time: 1, id: 'secret' };
      assert.equal((await sendPicture(url, you.token, envelope, GIF)).status, 200);
      const carol = await (await Person.comes(context, browser, url, 'Carol')).ticket();
      const { status, type, bytes } = await picture(url, me.token, envelope);
      assert.deepEqual([status, type, hash(bytes)], [200, 'image/gif', hash(GIF)]);
      assert.equal((await picture(url, carol.token, envelope)).status, 404);
      assert.equal((await picture(url, 'wrong', envelope)).status, 401);
      assert.equal((await picture(url, undefined, envelope)).status, 401);
      for (const [change, expected] of [[{ from: me.name }, 403], [{ to: '没有人' }, 404], [{ to: 'presence/Bob' }, 422], [{ to: '#' }, 422],
        [{ id: 'a b' }, 422], [{ time: 'x' }, 400]]) {
        const { status, msg } = await sendPicture(url, you.token, { ...envelope, id: 'x', ...change }, GIF);
        assert.deepEqual([status, msg], [expected, '连接失败'], JSON.stringify(change));
      }
      assert.equal((await sendPicture(url, 'wrong', envelope, GIF)).status, 401);
    });

    await context.test('there is a limit to what one sends in a time', async () => {
      const bytes = Buffer.concat([GIF, randomBytes(LIMIT - GIF.length)]);
      const many = Array.from({ length: 8 }, (_, number) => ({ to: me.name, from: 'Bob', time: 1, id: `many-${number}` }));
      const answers = await Promise.all(many.map((envelope) => sendPicture(url, you.token, envelope, bytes)));
      assert.ok(answers.some(({ status, msg }) => status === 429 && msg === '连接失败'), JSON.stringify(answers));
      assert.equal((await send(url, me.token, { to: 'Bob', con: 'x', from: me.name, time: 1 })).status, 200);
    });

    for (const person of [alice, bob]) assert.deepEqual(person.errors, []);
  });
}

test('a picture that was not sent is sent again, and is there once', TIME, async (context) => {
  const { url, broker, start } = await startBoth(context);
  const browser = await startBrowser(context);
  const { alice, bob } = await aliceAndBob(context, browser, url);
  await alice.opens('Bob');
  await bob.opens('爱丽丝');
  const bytes = await landscape(bob.page);
  await broker.end('SIGKILL');
  await bob.hasLost();
  await bob.picks(bytes, 'image/png');
  await until('it is not sent', () => bob.page.locator('.mine[data-state=failed]').isVisible());
  await until('the list says so', () => bob.entry('爱丽丝').locator('.alarm').isVisible());
  await bob.notices(/连接断开/);
  await start();
  await Promise.all([alice.isConnected(), bob.isConnected()]);
  await until('it is sent', async () => {
    await bob.page.keyboard.press('Alt+r');
    return bob.page.locator('.mine[data-state=sent]').isVisible();
  });
  await until('nothing is left to be sent', async () => (await bob.page.locator('.alarm').count()) === 0);
  assert.equal(hash(await alice.saves(0)), hash(bytes));
  assert.equal(await alice.page.locator('#messages .picture').count(), 1);
  await alice.page.reload();
  await alice.isConnected();
  await alice.opens('Bob');
  assert.equal(hash(await alice.saves(0)), hash(bytes));
  assert.equal(await alice.page.locator('#messages .picture').count(), 1);
});
