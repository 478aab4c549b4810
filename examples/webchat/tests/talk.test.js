// People chat, in a real browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GIF, landscape } from './paint.js';
import { aliceAndBob, Person } from './person.js';
import { shoot, startBoth, startBrowser, startChat, TIME, until } from './processes.js';

test('two talk, a third one drops', TIME, async (context) => {
  const { url } = await startBoth(context);
  const browser = await startBrowser(context);
  const { alice, bob } = await aliceAndBob(context, browser, url);

  await context.test('both ways, and what is unread is marked', async () => {
    await alice.opens('Bob');
    await alice.sends('你好，Bob 👋');
    assert.equal(await bob.unread('爱丽丝'), 1);
    assert.match(await bob.page.title(), /^\(1\)/);
    await shoot(bob.page, 'unread');
    await bob.opens('爱丽丝');
    await bob.reads('你好，Bob 👋');
    await bob.hasNothingUnread();
    await bob.sends('你好！👨‍👩‍👧');
    await alice.reads('你好！👨‍👩‍👧');
    assert.equal(await alice.page.locator('#said').textContent(), 'Bob：你好！👨‍👩‍👧');
  });

  await context.test('markup stays text', async () => {
    const markup = '<img src=x onerror="document.title=1"><b>bold</b><script>alert(1)</script>';
    await alice.sends(markup);
    await bob.reads(markup);
    assert.equal(await bob.page.locator('#messages b, #messages script, #messages img').count(), 0);
  });

  await context.test('a group', async () => {
    await alice.opens('大厅');
    await alice.sends('大家好 🎉');
    await bob.opens('大厅');
    await bob.reads('大家好 🎉');
    await bob.sends('晚上好');
    await alice.reads('晚上好');
    assert.equal((await alice.textsWith('大厅', 'Bob')).filter((text) => text === '大家好 🎉').length, 1);
  });

  await context.test('a text of many lines, and one that is too long', async () => {
    const poem = '床前明月光,\n疑是地上霜。\n\t举头望明月,\n低头思故乡。';
    await alice.sends(poem);
    await bob.reads(poem);
    await alice.writes('x'.repeat(8_193));
    await alice.trouble(/太长/);
    assert.equal((await alice.page.locator('#text').inputValue()).length, 8_193);
    await alice.sends('长'.repeat(2_730));
    await bob.reads('长'.repeat(2_730));
  });

  await context.test('somebody drops, and somebody goes', async () => {
    const carol = await Person.comes(context, browser, url, 'Carol');
    await alice.sees('Carol');
    await carol.opens('大厅');
    await carol.sends('hi');
    await alice.opens('Carol');
    // Not a good-bye: the window is closed, and the will says so.
    await carol.window.close();
    // Somebody without any messages disappears from the list; the open conversation says so.
    await until('Carol is gone', async () => (await alice.page.locator('#talk-state').textContent()) === '离线');
    const dave = await Person.comes(context, browser, url, 'Dave');
    await alice.sees('Dave');
    await dave.page.locator('#sign-out').click();
    await until('Dave is gone', async () => (await alice.entry('Dave').count()) === 0);
  });

  await context.test('whoever is not in the chat cannot be written to', async () => {
    const eve = await Person.comes(context, browser, url, 'Eve');
    await eve.sees('爱丽丝');
    await eve.opens('爱丽丝');
    await eve.sends('bye');
    await alice.opens('Eve');
    await eve.page.locator('#sign-out').click();
    await until('Eve has signed out', () => eve.page.locator('#name').isVisible());
    await until('she is not in the chat', async () => {
      await alice.writes('still there?');
      await until('it is known', async () => (await alice.page.locator('.mine').last().getAttribute('data-state')) !== 'sending');
      return (await alice.page.locator('.mine').last().getAttribute('data-state')) === 'failed';
    });
    await alice.trouble(/Eve 已经不在/);
  });

  for (const person of [alice, bob]) assert.deepEqual(person.errors, []);
});

/** Checks that no part of it is out of sight. */
async function fitsIn(page, width, selectors) {
  for (const selector of selectors) {
    const { x, width: own } = await page.locator(selector).first().boundingBox();
    assert.ok(x >= 0 && x + own <= width, `${selector} reaches from ${x} to ${x + own}`);
  }
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, 'wider than the window');
}

/** A keyboard takes half of the window. */
async function endStaysInSight(page) {
  const { width, height } = page.viewportSize();
  await page.setViewportSize({ width, height: height / 2 });
  await until('the last message is in sight', () => page.evaluate(() => {
    const list = document.querySelector('#messages');
    return list.lastElementChild.getBoundingClientRect().bottom <= list.getBoundingClientRect().bottom;
  }));
  await page.setViewportSize({ width, height });
}

test('on a phone, in the dark', TIME, async (context) => {
  const { url } = await startChat(context, []);
  const browser = await startBrowser(context);
  const { alice, bob } = await aliceAndBob(context, browser, url);
  const size = { viewport: { width: 390, height: 760 }, hasTouch: true, colorScheme: 'dark' };
  const phone = await Person.comes(context, browser, url, 'Daniel', size);
  await phone.sees('爱丽丝');
  await alice.opens('大厅');
  await alice.sends('欢迎 Daniel');
  assert.equal(await phone.unread('大厅'), 1);
  await shoot(phone.page, 'phone-list');
  await phone.opens('大厅');
  await phone.hasNothingUnread();
  await phone.sends('Hello，大家好！ 😀');
  await phone.picks(await landscape(phone.page), 'image/png');
  await until('the picture is there', () => alice.page.locator('#messages .picture img').isVisible());
  await phone.page.locator('#emoji-open').click();
  await shoot(phone.page, 'phone-emoji');
  await phone.page.locator('#emoji button').first().click();
  assert.equal(await phone.page.locator('#text').inputValue(), '😀');
  await phone.page.keyboard.press('Enter');
  await alice.reads('😀');
  await shoot(phone.page, 'phone-talk');
  await fitsIn(phone.page, 390, ['#back', '#messages', '#composer .primary']);
  await endStaysInSight(phone.page);
  await phone.page.locator('#back').click();
  await until('the list is back', () => phone.entry('大厅').isVisible());
  await alice.sends(`长长的一句话：${'很'.repeat(60)}长`);
  await until('it is in the list', async () => (await phone.entry('大厅').textContent()).includes('长长的'));
  assert.equal(await phone.unread('大厅'), 1);
  await fitsIn(phone.page, 390, ['#sign-out', '.entry', '.badge']);
  await bob.opens('Daniel');
  await bob.sends('在吗？');
  assert.equal(await phone.unread('Bob'), 1);

  // The picture for the README.
  await alice.opens('Bob');
  await bob.opens('爱丽丝');
  await alice.sends('你好，Bob 👋');
  await bob.sends('你好！昨天爬山去了：');
  await bob.picks(await landscape(bob.page), 'image/png');
  await until('the picture is there', () => alice.page.locator('#messages .picture img').isVisible());
  await alice.sends('真美！<b>在哪儿</b>？🏔');
  await bob.sends('黄山，路线在这里：https://example.org/huangshan');
  await phone.opens('大厅');
  await phone.sends('谁有时间？');
  assert.equal(await alice.unread('大厅'), 1);
  await alice.page.locator('#text').fill('太好了，我们');
  await alice.page.setViewportSize({ width: 1000, height: 740 });
  await shoot(alice.page, 'talk');
  for (const person of [alice, bob, phone]) assert.deepEqual(person.errors, []);
});

test('with the keyboard alone, and by what a screen reader is told', TIME, async (context) => {
  const { url } = await startChat(context, []);
  const browser = await startBrowser(context);
  const bob = await Person.comes(context, browser, url, 'Bob');
  const window = await browser.newContext({ locale: 'en-US' });
  context.after(() => window.close());
  const { page } = new Person('Ann', window, await window.newPage());
  const { keyboard } = page;
  await page.goto(url);
  // The field already has the focus.
  await keyboard.type('Ann');
  await keyboard.press('Enter');
  await until('Bob is in the list', () => page.locator('.entry', { hasText: 'Bob' }).isVisible());
  const focused = () => page.evaluate(() => document.activeElement.innerText || document.activeElement.id);
  const goTo = async (pattern, key = 'Tab') => {
    for (let step = 0; step < 40; step += 1) {
      if (pattern.test(await focused())) return;
      await keyboard.press(key);
    }
    assert.fail(`the keyboard does not reach ${pattern}`);
  };
  assert.equal(await focused(), 'text');
  await goTo(/^B\s+Bob/, 'Shift+Tab');
  await keyboard.press('Enter');
  assert.equal(await focused(), 'text');
  await goTo(/^emoji-open$|^😀$/, 'Shift+Tab');
  await keyboard.press('Enter');
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  await keyboard.type(' hello');
  await keyboard.press('Shift+Enter');
  await keyboard.type('Bob');
  await keyboard.press('Enter');
  await bob.opens('Ann');
  await bob.reads('😂 hello\nBob');
  await bob.picks(GIF, 'image/gif');
  await until('a picture came', () => page.locator('.picture img').isVisible());
  await goTo(/^$/, 'Shift+Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'picture');
  await keyboard.press('Enter');
  await until('it is shown large', () => page.locator('#viewer[open]').isVisible());
  await keyboard.press('Escape');
  await until('it is closed', async () => !(await page.locator('#viewer').isVisible()));

  const tree = await (await window.newCDPSession(page)).send('Accessibility.getFullAXTree');
  const nodes = tree.nodes.filter(({ ignored }) => !ignored).map(({ role, name }) => [role?.value, name?.value ?? '']);
  for (const role of ['button', 'textbox', 'list', 'link', 'image', 'navigation']) {
    for (const [, name] of nodes.filter(([found]) => found === role)) {
      if (role !== 'list') assert.notEqual(name.trim(), '', `a ${role} has no name`);
    }
  }
  const names = (role) => nodes.filter(([found]) => found === role).map(([, name]) => name);
  assert.ok(names('textbox').includes('Message'), `${names('textbox')}`);
  assert.ok(names('image').includes('Picture from Bob'), `${names('image')}`);
  assert.ok(names('button').some((name) => /Bob.*online/.test(name)), `${names('button')}`);
  assert.ok(names('button').includes('Send') && names('button').includes('Sign out'));
  await goTo(/^Sign out$/, 'Shift+Tab');
  await keyboard.press('Enter');
  await until('the entrance is back', () => page.locator('#name').isVisible());
  assert.equal(await focused(), 'name');
});
