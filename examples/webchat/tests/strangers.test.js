// What people may not do, tried by hand: with MQTT packets, and with HTTP requests.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aliceAndBob } from './person.js';
import { startBrowser, startChat, TIME, until } from './processes.js';
import { Raw } from './raw.js';
import { send, signIn, signOut } from './requests.js';

for (const [name, args] of [['Mosquitto', []], ['the small broker', ['--own-broker']]]) {
  test(`strangers get nowhere with ${name}`, TIME, async (context) => {
    const { url, port } = await startChat(context, args);
    const browser = await startBrowser(context);
    const { alice, bob } = await aliceAndBob(context, browser, url);
    const { page } = alice;
    const me = await alice.ticket();
    await alice.opens('Bob');
    await bob.opens('爱丽丝');

    await context.test('a wrong password is refused', async () => {
      for (const who of [{ name: me.name, password: 'wrong' }, { name: me.name }, { name: 'webchat@server', password: me.password },
        { name: 'Bob', password: me.password }, { name: me.name, password: me.token }, {}]) {
        const connack = await (await Raw.connect(page, port, who)).gets('connack');
        assert.ok(connack === null || [4, 5].includes(connack.body[1]), JSON.stringify([who, connack?.body]));
      }
      const wrong = await (await Raw.connect(page, port, { ...me, password: 'wrong' })).gets('connack');
      assert.ok([4, 5].includes(wrong.body[1]), 'the page learns by CONNACK that it is not known any more');
      const right = await (await Raw.connect(page, port, me)).gets('connack');
      assert.equal(right.body[1], 0);
    });

    await context.test('nobody reads what is anothers', async () => {
      const spies = [];
      for (const filter of ['Bob', '#', '+', '+/#', 'Bob/#', '$SYS/#', 'presence/#', '/+', '大厅/#']) {
        const spy = await Raw.connect(page, port, me);
        await spy.subscribe(me.name);
        assert.notEqual(await spy.gets('suback'), null);
        await spy.subscribe(filter);
        // Mosquitto accepts any subscription, and then delivers nothing that this user may not read.
        await until('two answers, or the end', async () => {
          return (await spy.isClosed()) || (await spy.packets()).filter(({ type }) => type === 'suback').length === 2;
        });
        spies.push([filter, spy]);
      }
      await alice.sends('to Bob alone');
      await bob.reads('to Bob alone');
      await bob.sends('to Alice');
      for (const [filter, spy] of spies) {
        // The last message to arrive was the last one published.
        await until(`"to Alice" at ${filter}, or the end`, async () => {
          return (await spy.isClosed()) || (await spy.published()).some(({ payload }) => payload.includes('to Alice'));
        });
        const topics = (await spy.published()).map(({ topic }) => topic);
        const allowed = [me.name, '大厅', '茶馆', `presence/${me.name}`, 'presence/Bob'];
        assert.deepEqual(topics.filter((topic) => !allowed.includes(topic)), [], filter);
      }
    });

    await context.test('nobody writes but whether they are there', async () => {
      const forged = [...Buffer.from(JSON.stringify({ to: 'Bob', from: '爱丽丝', con: 'forged', id: 'f', time: 1 }))];
      for (const topic of ['Bob', '大厅', me.name, 'presence/Bob', 'presence/x', 'presence', 'x', '$SYS/x']) {
        const raw = await Raw.connect(page, port, me);
        assert.notEqual(await raw.gets('connack'), null);
        await raw.publish(topic, forged);
        await raw.gets('puback');
      }
      for (const will of ['Bob', '大厅', 'presence/Bob']) {
        const raw = await Raw.connect(page, port, { ...me, will });
        await raw.gets('connack');
        await raw.drop();
      }
      await alice.sends('done');
      await bob.reads('done');
      assert.equal((await bob.textsWith('大厅', '爱丽丝')).includes('forged'), false);
      assert.equal((await bob.textsWith('爱丽丝', '大厅')).includes('forged'), false);
      await alice.sees('Bob');
    });

    await context.test('bytes that are no text do no harm', async () => {
      const raw = await Raw.connect(page, port, me);
      await raw.publish(`presence/${me.name}`, [0xff, 0xfe]);
      assert.notEqual(await raw.gets('puback'), null);
      await bob.sees('爱丽丝', false);
      await bob.isConnected();
      await raw.publish(`presence/${me.name}`, [...Buffer.from('off')]);
      // The page still says that it is online.
      await bob.sees('爱丽丝');
      assert.deepEqual(bob.errors, []);
    });

    await context.test('whoever has signed out is thrown out, and the next one of the name is alone', async () => {
      const zoe = await signIn(url, 'Zoe');
      const raw = await Raw.connect(page, port, zoe);
      assert.equal((await raw.gets('connack')).body[1], 0);
      await raw.subscribe('Zoe');
      assert.notEqual(await raw.gets('suback'), null);
      assert.equal((await signOut(url, zoe.token)).status, 204);
      await raw.hasEnded();
      assert.equal((await signOut(url, zoe.token)).status, 401);
      assert.equal((await signIn(url, 'Zoe')).status, 200);
      const late = await (await Raw.connect(page, port, zoe)).gets('connack');
      assert.ok([4, 5].includes(late.body[1]));
    });

    await context.test('requests are checked', async () => {
      const message = { to: 'Bob', con: 'x', from: '爱丽丝', time: 1 };
      const answers = async (token, body) => {
        const { status, msg } = await send(url, token, body);
        return [status, msg];
      };
      assert.deepEqual(await answers(me.token, message), [200, '发送成功']);
      assert.deepEqual(await answers(undefined, message), [401, '连接失败']);
      assert.deepEqual(await answers('wrong', message), [401, '连接失败']);
      assert.deepEqual(await answers(me.token, { ...message, from: 'Bob' }), [403, '连接失败']);
      assert.deepEqual(await answers(me.token, { ...message, to: '没有人' }), [404, '连接失败']);
      for (const to of ['+', '#', 'a/b', 'presence/Bob', '$SYS', '']) {
        assert.deepEqual(await answers(me.token, { ...message, to }), [422, '连接失败'], to);
      }
      assert.deepEqual(await answers(me.token, { ...message, con: 'x'.repeat(8_193) }), [422, '连接失败']);
      assert.deepEqual(await answers(me.token, { ...message, con: 'a\u0000b' }), [422, '连接失败']);
      assert.deepEqual(await answers(me.token, { ...message, con: 'x'.repeat(1_000_000) }), [413, '连接失败']);
      for (const body of ['', '{', '[]', '{"to":"Bob"}', '{"to":1}', 'null']) {
        assert.deepEqual(await answers(me.token, body), [400, '连接失败'], body);
      }
      for (const [taken, status] of [['bob', 409], ['大厅', 409], ['a/b', 422], ['#', 422], ['<b>', 422], ['$SYS', 422], ['a:b', 422],
        ['', 422], ['x'.repeat(25), 422]]) {
        assert.equal((await signIn(url, taken)).status, status, taken);
      }
    });
  });
}
