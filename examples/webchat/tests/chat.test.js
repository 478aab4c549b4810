// The chat in a real browser, with each of the brokers that it can have.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Person } from './person.js';
import { folder, freePort, shoot, startBrowser, startChat, startMosquitto, until, wait } from './processes.js';

const TIME = { timeout: 180_000 };

/** A Mosquitto that this test stops and starts, and the chat on it. */
async function startBoth(context) {
  const dir = folder(context);
  const chat = await startChat(context, ['--broker', `127.0.0.1:${await freePort()}`, '--files', dir]);
  const start = () => startMosquitto(context, dir);
  return { ...chat, start, broker: await start() };
}

async function alicesAndBobs(context, url) {
  const browser = await startBrowser(context);
  const alice = await Person.comes(context, browser, url, '爱丽丝');
  const bob = await Person.comes(context, browser, url, 'Bob');
  await alice.sees('Bob');
  await bob.sees('爱丽丝');
  return { browser, alice, bob };
}

async function bothWays(alice, bob) {
  await alice.opens('Bob');
  await alice.sends('你好,Bob 👋');
  assert.equal(await until('a mark for what is unread', () => bob.unread('爱丽丝').catch(() => null)), '1');
  await shoot(bob.page, 'unread');
  await bob.opens('爱丽丝');
  await bob.reads('你好,Bob 👋');
  await bob.sends('你好!👨‍👩‍👧');
  await alice.reads('你好!👨‍👩‍👧');
}

test('two talk, a third one drops', TIME, async (context) => {
  const { url } = await startBoth(context);
  const { browser, alice, bob } = await alicesAndBobs(context, url);
  await bothWays(alice, bob);

  await context.test('markup stays text', async () => {
    const markup = '<img src=x onerror="document.title=1"><b>bold</b><script>alert(1)</script>';
    await alice.sends(markup);
    await bob.reads(markup);
    assert.equal(await bob.page.locator('#messages b, #messages script, #messages .con img').count(), 0);
  });

  await context.test('a picture', async () => {
    const png = Buffer.from(await alice.page.evaluate(() => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
      const paint = canvas.getContext('2d');
      const sky = paint.createLinearGradient(0, 0, 0, 180);
      sky.addColorStop(0, '#2b6cb0');
      sky.addColorStop(1, '#fbd38d');
      paint.fillStyle = sky;
      paint.fillRect(0, 0, 320, 180);
      paint.fillStyle = '#f6ad55';
      paint.arc(240, 120, 26, 0, 7);
      paint.fill();
      paint.fillStyle = '#22543d';
      for (const [x, height] of [[0, 60], [80, 95], [170, 50]]) {
        paint.beginPath();
        paint.moveTo(x - 60, 180);
        paint.lineTo(x + 50, 180 - height);
        paint.lineTo(x + 160, 180);
        paint.fill();
      }
      return canvas.toDataURL('image/png').split(',')[1];
    }), 'base64');
    await bob.page.locator('#picture').setInputFiles({ name: 'p.png', mimeType: 'image/png', buffer: png });
    const image = alice.page.locator('#messages .picture img');
    await until('the picture is there', () => image.evaluate((image) => image.naturalWidth === 320).catch(() => false));
    await bob.page.locator('#picture').setInputFiles({ name: 'p.png', mimeType: 'image/png', buffer: Buffer.from('no') });
    // What is small enough goes as it is; the server looks into it.
    await until('what is none is refused', () => bob.page.locator('.mine[data-state=failed]').isVisible());
  });

  await context.test('a group', async () => {
    await alice.opens('大厅');
    await alice.sends('大家好 🎉');
    await bob.opens('大厅');
    await bob.reads('大家好 🎉');
    await bob.sends('晚上好');
    await alice.reads('晚上好');
    assert.equal((await alice.texts()).filter((text) => text === '大家好 🎉').length, 1);
  });

  await context.test('somebody drops', async () => {
    const carol = await Person.comes(context, browser, url, 'Carol');
    await alice.sees('Carol');
    await carol.opens('大厅');
    await carol.sends('hi');
    await alice.opens('Carol');
    // Not a good-bye: the window is gone, and the will says so.
    await carol.window.close();
    // One with whom nothing was said goes from the list; the open talk says it.
    await until('Carol is gone', async () => (await alice.page.locator('#talk-state').textContent()) === '离线');
  });

  await context.test('a reload keeps the sitting', async () => {
    await bob.page.reload();
    await bob.isConnected();
    await bob.opens('爱丽丝');
    await bob.reads('你好,Bob 👋');
    assert.equal((await bob.texts()).filter((text) => text === '你好,Bob 👋').length, 1);
    await alice.sees('Bob');
  });

  const phone = await Person.comes(context, browser, url, 'Daniel', { viewport: { width: 390, height: 760 }, colorScheme: 'dark' });
  await phone.sees('爱丽丝');
  await alice.opens('大厅');
  await alice.sends('欢迎 Daniel');
  await until('unread on the phone', () => phone.unread('大厅').catch(() => null));
  await shoot(phone.page, 'phone-list');
  await phone.opens('大厅');
  await phone.sends('Hello, 大家好! 😀');
  await shoot(phone.page, 'phone-talk');
  await alice.opens('Bob');
  await bob.writes('明天见! 😊');
  await alice.reads('明天见! 😊');
  await phone.sends('谁有时间?');
  await until('unread by Alice', () => alice.unread('大厅').catch(() => null));
  await alice.page.locator('#text').fill('好的,明天');
  await shoot(alice.page, 'talk');
  const wide = await phone.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.equal(wide, false, 'the page is wider than a phone');
  for (const person of [alice, bob, phone]) assert.deepEqual(person.errors, []);
});

for (const signal of ['SIGTERM', 'SIGKILL']) {
  test(`the broker ends by ${signal} while they talk`, TIME, async (context) => {
    const { start, broker, url } = await startBoth(context);
    const { alice, bob } = await alicesAndBobs(context, url);
    await alice.opens('Bob');
    await bob.opens('爱丽丝');

    // Everything that is said, while the broker ends and comes back in the midst of it.
    const words = Array.from({ length: 30 }, (_, number) => `第 ${number} 句`);
    const talking = (async () => {
      for (const word of words) {
        await alice.writes(word);
        await wait(100);
      }
    })();
    await wait(800);
    await broker.end(signal);
    await Promise.all([alice.hasLost(), bob.hasLost()]);
    await talking;
    await shoot(alice.page, `lost-${signal}`);
    const fates = new Map();
    for (const word of words) fates.set(word, await alice.fate(word));
    const sent = words.filter((word) => fates.get(word) === 'sent');
    const failed = words.filter((word) => fates.get(word) === 'failed');
    assert.ok(sent.length > 0 && failed.length > 1, `${sent.length} sent, ${failed.length} failed`);

    await start();
    await Promise.all([alice.isConnected(), bob.isConnected()]);
    for (const word of sent) await bob.reads(word);
    // What has failed is sent again, one by Enter on its button and the rest by one key.
    await until('the server has the broker again', async () => {
      const button = alice.page.locator('.again').first();
      const [word] = failed;
      await button.focus();
      await alice.page.keyboard.press('Enter');
      return (await alice.fate(word)) === 'sent';
    });
    await alice.page.keyboard.press('Alt+r');
    for (const word of words) assert.equal(await alice.fate(word), 'sent', word);
    for (const word of words) await bob.reads(word);
    await alice.sends('都收到了吗?');
    await bob.reads('都收到了吗?');
    await bob.sends('收到了');
    await alice.reads('收到了');
    const [came, went] = [await bob.texts(), await alice.texts()];
    for (const word of words) {
      assert.equal(came.filter((text) => text === word).length, 1, `Bob: ${word}`);
      assert.equal(went.filter((text) => text === word).length, 1, `爱丽丝: ${word}`);
    }
    // And it stays so with all that comes from the server after a reload.
    await bob.page.reload();
    await bob.isConnected();
    await bob.opens('爱丽丝');
    await bob.reads('收到了');
    for (const word of words) assert.equal((await bob.texts()).filter((text) => text === word).length, 1, word);
    await Promise.all([alice.sees('Bob'), bob.sees('爱丽丝')]);
  });
}

test('a broker that hangs', TIME, async (context) => {
  const { broker, url } = await startBoth(context);
  const { alice, bob } = await alicesAndBobs(context, url);
  await alice.opens('Bob');
  await bob.opens('爱丽丝');
  broker.child.kill('SIGSTOP');
  await alice.writes('有人吗?');
  assert.equal(await alice.fate('有人吗?'), 'failed');
  broker.child.kill('SIGCONT');
  // It may have been with the broker all the time: sent again, it is there once all the same.
  await until('it is sent', async () => {
    await alice.page.keyboard.press('Alt+r');
    return (await alice.fate('有人吗?')) === 'sent';
  });
  await alice.sends('好了');
  await bob.reads('好了');
  await bob.reads('有人吗?');
  assert.equal((await bob.texts()).filter((text) => text === '有人吗?').length, 1);
});

/** What the broker lets somebody do who does not use the page as it is. */
async function tries(page, port, { name, password, filter, topic }) {
  return page.evaluate(async ([port, userName, password, filter, topic]) => {
    const client = new Paho.Client(location.hostname, port, '/mqtt', `stranger-${Math.random()}`.slice(0, 20));
    const ended = new Promise((done) => (client.onConnectionLost = () => done('lost')));
    const credentials = userName ? { userName, password } : {};
    const connected = await new Promise((done) => client.connect({
      ...credentials, mqttVersion: 4, timeout: 5, onSuccess: () => done(true), onFailure: () => done(false),
    }));
    if (!connected) return 'refused';
    if (topic) client.send(topic, JSON.stringify({ to: topic, from: 'Bob', con: 'forged', id: 'f', time: 1 }), 0, true);
    const subscribed = filter && new Promise((done) => client.subscribe(filter, {
      qos: 1, onSuccess: () => done('subscribed'), onFailure: () => done('no right'),
    }));
    client.onMessageArrived = ({ destinationName }) => (window.heard = [...(window.heard ?? []), destinationName]);
    const after = new Promise((done) => setTimeout(() => done('nothing'), 1_000));
    return Promise.race([ended, subscribed || after, after]);
  }, [port, name, password, filter, topic]);
}

async function strangersGetNowhere(context, { url, websocketPort }, port = websocketPort) {
  const { alice, bob } = await alicesAndBobs(context, url);
  await bothWays(alice, bob);
  const { page } = alice;
  const me = JSON.parse(await page.evaluate(() => sessionStorage.getItem('who')));
  assert.equal(await tries(page, port, { name: '爱丽丝', password: 'wrong' }), 'refused');
  assert.equal(await tries(page, port, {}), 'refused');
  assert.equal(await tries(page, port, { name: 'webchat@server', password: me.password }), 'refused');
  assert.equal(await tries(page, port, { ...me, filter: '爱丽丝' }), 'subscribed');
  // Mosquitto takes any subscription, and then delivers nothing that one may not read.
  for (const filter of ['Bob', '#', '+', '$SYS/#']) await tries(page, port, { ...me, filter });
  await bob.opens('大厅');
  await bob.sends('to all');
  await bob.opens('爱丽丝');
  await bob.sends('to Alice');
  await alice.sends('to Bob alone');
  await bob.reads('to Bob alone');
  await wait(300);
  assert.ok(await page.evaluate(() => heard.includes('爱丽丝')));
  const allowed = ['爱丽丝', '大厅', 'presence/爱丽丝', 'presence/Bob'];
  assert.deepEqual((await page.evaluate(() => heard)).filter((topic) => !allowed.includes(topic)), []);
  for (const topic of ['Bob', '大厅', 'presence/Bob']) await tries(page, port, { ...me, topic });
  await alice.sends('done');
  await bob.reads('done');
  assert.ok(!(await bob.texts()).includes('forged'));
  await alice.sees('Bob');

  const message = { to: 'Bob', con: 'x', from: '爱丽丝', time: 1 };
  const post = async (token, body) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const response = await fetch(`${url}send`, { method: 'POST', headers, body: JSON.stringify(body) });
    return [response.status, (await response.json().catch(() => ({}))).msg];
  };
  assert.deepEqual(await post(me.token, message), [200, '发送成功']);
  assert.deepEqual(await post('', message), [401, '连接失败']);
  assert.deepEqual(await post('wrong', message), [401, '连接失败']);
  assert.deepEqual(await post(me.token, { ...message, from: 'Bob' }), [403, '连接失败']);
  assert.deepEqual(await post(me.token, { ...message, to: '没有人' }), [404, '连接失败']);
  for (const to of ['+', '#', 'a/b', 'presence/Bob', '$SYS', '']) {
    assert.deepEqual(await post(me.token, { ...message, to }), [422, '连接失败'], to);
  }
  assert.deepEqual(await post(me.token, { ...message, con: 'x'.repeat(8_193) }), [422, '连接失败']);
  assert.equal((await post(me.token, { ...message, con: 'x'.repeat(1_000_000) }))[0], 413);
  for (const name of ['bob', '大厅', 'a/b', '#', '<b>']) {
    const response = await fetch(`${url}sign-in`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name }),
    });
    assert.ok([409, 422].includes(response.status), name);
  }
}

test('strangers get nowhere, with a Mosquitto that the server starts', TIME, async (context) => {
  const chat = await startChat(context, []);
  await strangersGetNowhere(context, chat);
});

test('strangers get nowhere, with the broker that comes along', TIME, async (context) => {
  const chat = await startChat(context, ['--own-broker']);
  await strangersGetNowhere(context, chat, Number(new URL(chat.url).port));
});

test('a server that starts again finds everybody again', TIME, async (context) => {
  const dir = folder(context);
  const port = await freePort();
  const first = await startChat(context, ['--broker', `127.0.0.1:${port}`, '--files', dir]);
  await startMosquitto(context, dir);
  const { alice, bob } = await alicesAndBobs(context, first.url);
  await first.server.end();
  const { url, websocketPort } = first;
  await startChat(context, ['--broker', `127.0.0.1:${port}`, '--files', dir], { listen: new URL(url).host, websocketPort });
  await alice.opens('Bob');
  await until('both are there again', async () => {
    await alice.writes('again?');
    return (await alice.page.locator('.mine').last().getAttribute('data-state')) === 'sent';
  });
  await bob.isConnected();
});
