// The broker ends, is killed, or hangs while people chat.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aliceAndBob } from './person.js';
import { shoot, startBoth, startBrowser, TIME, until, wait } from './processes.js';

/** The query that the page's address needs for each client. */
const CLIENTS = { 'MQTT.js': '', Paho: '?client=paho' };

const count = (texts, text) => texts.filter((found) => found === text).length;

for (const [client, signal] of [['MQTT.js', 'SIGTERM'], ['MQTT.js', 'SIGKILL'], ['Paho', 'SIGTERM'], ['Paho', 'SIGKILL']]) {
  test(`the broker ends by ${signal} while they talk, with ${client}`, TIME, async (context) => {
    const { start, broker, url } = await startBoth(context);
    const browser = await startBrowser(context);
    const { alice, bob } = await aliceAndBob(context, browser, url + CLIENTS[client]);
    await alice.opens('Bob');
    await bob.opens('爱丽丝');
    await Promise.all([watchForContradictions(alice), watchForContradictions(bob)]);

    // Everything that is said, while the broker ends in the middle of it.
    const words = [];
    const says = async () => {
      words.push(`第 ${words.length} 句`);
      await alice.writes(words.at(-1));
      await wait(50);
    };
    while (words.length < 10) await says();
    await bob.reads(words[0]);
    const end = broker.end(signal);
    while (words.length < 20) await says();
    await end;
    await Promise.all([alice.hasLost(), bob.hasLost()]);
    while (words.length < 25) await says();
    const fates = new Map();
    for (const word of words) fates.set(word, await alice.fate(word));
    await alice.notices(/连接断开/);
    await saysNothingElse(alice, 'offline', /离线/);
    await shoot(alice.page, `lost-${client}-${signal}`);
    const sent = words.filter((word) => fates.get(word) === 'sent');
    const failed = words.filter((word) => fates.get(word) === 'failed');
    assert.ok(sent.length > 0 && failed.length >= 5, `${sent.length} sent, ${failed.length} failed`);

    await start();
    await Promise.all([alice.isConnected(), bob.isConnected()]);
    for (const word of sent) await bob.reads(word);
    // Failed messages are sent again, one by Enter on its button and the rest by one key.
    await until('the server has the broker again', async () => {
      await alice.page.locator('.again').first().focus();
      await alice.page.keyboard.press('Enter');
      return (await alice.fate(failed[0])) === 'sent';
    });
    await alice.page.keyboard.press('Alt+r');
    for (const word of words) assert.equal(await alice.fate(word), 'sent', word);
    for (const word of words) await bob.reads(word);
    await alice.sends('都收到了吗?');
    await bob.reads('都收到了吗?');
    await bob.sends('收到了');
    await alice.reads('收到了');
    const [came, went] = [await bob.textsWith('爱丽丝', '大厅'), await alice.textsWith('Bob', '大厅')];
    for (const word of words) {
      assert.equal(count(came, word), 1, `Bob: ${word}`);
      assert.equal(count(went, word), 1, `爱丽丝: ${word}`);
    }
    for (const person of [alice, bob]) assert.deepEqual(await contradictions(person), []);
    // It stays that way with everything that the server sends after a reload.
    await bob.page.reload();
    await bob.isConnected();
    await bob.opens('爱丽丝');
    await bob.reads('收到了');
    const again = await bob.texts();
    for (const word of words) assert.equal(count(again, word), 1, word);
    await Promise.all([alice.sees('Bob'), bob.sees('爱丽丝')]);
    assert.deepEqual([...alice.errors, ...bob.errors], []);
  });
}

for (const [client, query] of Object.entries(CLIENTS)) {
  test(`a broker that hangs, with ${client}`, TIME, async (context) => {
    const { broker, url } = await startBoth(context);
    const browser = await startBrowser(context);
    const { alice, bob } = await aliceAndBob(context, browser, url + query);
    await alice.opens('Bob');
    await bob.opens('爱丽丝');
    await Promise.all([watchForContradictions(alice), watchForContradictions(bob)]);
    broker.child.kill('SIGSTOP');
    await alice.writes('有人吗？');
    assert.equal(await alice.fate('有人吗？'), 'failed');
    await saysNothingElse(alice, 'timeout', /连接超时/);
    await alice.notices(/连接超时/);
    // Nothing else fails when the server has given the broker up, and reports that.
    await alice.writes('喂？');
    assert.equal(await alice.fate('喂？'), 'failed');
    await saysNothingElse(alice, 'timeout', /连接超时/);
    await shoot(alice.page, `timeout-${client}`);
    // Somebody who says nothing is informed as well.
    await bob.hasLost();
    await saysNothingElse(bob, 'timeout', /连接超时/);
    broker.child.kill('SIGCONT');
    await alice.isConnected();

    // The line is no longer red, and offers to send what failed. The broker may have received it after all: sent again, it still
    // appears only once.
    await alice.notices(/有 2 条消息没有发出/);
    assert.equal(await alice.page.locator('#notice').getAttribute('data-kind'), 'back');
    await saysNothingElse(alice, 'online', /在线/);
    await shoot(alice.page, `back-${client}`);
    await alice.page.locator('#notice-again').focus();
    await alice.page.keyboard.press('Enter');
    for (const text of ['有人吗？', '喂？']) assert.equal(await alice.fate(text), 'sent');
    await alice.notices(/^$/);
    assert.equal(await alice.page.evaluate(() => document.activeElement.id), 'text');
    await bob.isConnected();
    await bob.notices(/^$/);
    await alice.sends('好了');
    await bob.reads('好了');
    const came = await bob.textsWith('爱丽丝', '大厅');
    for (const text of ['有人吗？', '喂？']) assert.equal(count(came, text), 1, text);
    for (const person of [alice, bob]) assert.deepEqual(await contradictions(person), []);
    assert.deepEqual([...alice.errors, ...bob.errors], []);
  });
}

/** The state of the connection is shown consistently: no two parts of the page contradict each other. */
async function saysNothingElse({ page }, state, pattern) {
  await until(`the page says ${state}`, () => page.locator(`#state[data-state=${state}]`).isVisible());
  const [mine, theirs, dots] = await page.evaluate(() => [
    document.getElementById('state').innerText,
    document.getElementById('talk-state').innerText,
    document.querySelectorAll('.avatar[data-here]').length,
  ]);
  assert.match(mine, pattern);
  assert.match(theirs, state === 'online' ? /^(在线|离线)$/ : /重新连接/);
  assert.equal(dots > 0, state === 'online', 'who is here is not known without a connection');
}

/** Checks the page after each change of it, until it is reloaded. */
function watchForContradictions({ page }) {
  return page.evaluate(() => {
    const look = () => {
      const { state } = document.getElementById('state').dataset;
      const isOnline = state === 'online';
      const isLost = document.getElementById('notice').dataset.kind === 'lost';
      const dots = document.querySelectorAll('.avatar[data-here]').length;
      const theirs = document.getElementById('talk-state').textContent;
      const agrees = isLost !== isOnline && dots > 0 === isOnline && /在线|离线|所有人/.test(theirs) === isOnline;
      if (!agrees) window.contradictions.push({ state, isLost, dots, theirs });
    };
    window.contradictions = [];
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  });
}

const contradictions = ({ page }) => page.evaluate(() => window.contradictions);
