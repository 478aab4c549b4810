// What the page looks like and says, in each language and on each device.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aliceAndBob, Person } from './person.js';
import { shoot, startBrowser, startChat, TIME, until } from './processes.js';
import { send } from './requests.js';

const DAY = 86_400;
const HAN = /\p{Script=Han}/u;
const PHONE = { viewport: { width: 390, height: 760 }, hasTouch: true, isMobile: true };
const ENGLISH = { locale: 'en-GB' };

const now = () => Math.floor(Date.now() / 1_000);

/** Everything visible on the page, and everything that is read out. */
function allWords({ page }) {
  return page.evaluate(() => {
    const names = ['aria-label', 'title', 'placeholder', 'alt'];
    const elements = [...document.querySelectorAll('body *')];
    const told = elements.flatMap((element) => names.map((name) => element.getAttribute(name) ?? ''));
    return [document.title, document.body.textContent, ...told].join('\n');
  });
}

test('one language at a time', TIME, async (context) => {
  const { url } = await startChat(context, ['--own-broker']);
  const browser = await startBrowser(context);
  const ann = await Person.comes(context, browser, url, 'Ann', ENGLISH);
  const bob = await Person.comes(context, browser, url, 'Bob');
  const { page } = ann;
  const foreign = (words) => words.split('\n').map((line) => line.replaceAll('Bob', '').replaceAll('中文', '')).filter((line) => HAN.test(line));

  await context.test('English is all English, the names of groups too', async () => {
    await ann.sees('Bob');
    await ann.opens('Lobby');
    await ann.sends('hello', /^.sent$/);
    assert.deepEqual(foreign(await allWords(ann)), []);
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
    // It is the same group for everyone.
    await bob.opens('大厅');
    await bob.reads('hello');
  });

  await context.test('the switch changes all that is seen, and nothing else', async () => {
    await page.locator('#text').fill('not ready');
    const button = page.locator('#chat .language');
    await button.focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
    assert.equal(await page.locator('#talk-name').textContent(), '大厅');
    assert.equal(await page.locator('#state').textContent(), '在线');
    assert.deepEqual(await ann.texts(), ['hello']);
    assert.equal(await page.locator('#text').inputValue(), 'not ready');
    assert.equal(await button.evaluate((button) => document.activeElement === button), true);
    const words = (await allWords(ann)).replaceAll(/Ann|Bob|hello|English|Enter|Shift|Alt|R/g, '');
    assert.deepEqual(words.match(/[a-z]{3,}/gi), null);
  });

  await context.test('it stays so when the page is loaded again, and can be changed before signing in', async () => {
    await page.reload();
    await ann.isConnected();
    assert.equal(await page.locator('#talk-name').textContent(), '大厅');
    await page.locator('#sign-out').click();
    await ann.signsIn('a/b');
    await until('it is said', async () => /名字由/.test(await page.locator('#sign-in-error').textContent()));
    await page.locator('#entrance .language').click();
    assert.match(await page.locator('#sign-in-error').textContent(), /A name has letters/);
    assert.equal(await page.title(), 'Chat');
    assert.deepEqual(foreign(await page.locator('#entrance').textContent()), []);
  });
  assert.deepEqual([...ann.errors, ...bob.errors], []);
});

test('days, times and ticks', TIME, async (context) => {
  const { url } = await startChat(context, ['--own-broker']);
  const browser = await startBrowser(context);
  const { alice, bob } = await aliceAndBob(context, browser, url);
  const { token, name: from } = await alice.ticket();
  let number = 0;
  const said = async (time, to = 'Bob') => {
    const con = `第 ${number += 1} 句`;
    assert.equal((await send(url, token, { to, con, from, time })).status, 200);
    return con;
  };
  const days = () => bob.page.locator('#messages .day').allTextContents();

  await context.test('a day is named once, before what was said on it', async () => {
    await bob.opens('爱丽丝');
    await said(Date.UTC(2024, 1, 29, 12) / 1_000);
    await said(Date.UTC(2024, 1, 29, 13) / 1_000);
    await said(now() - DAY);
    await bob.reads(await said(now()));
    const items = bob.page.locator('#messages > li');
    const inOrder = () => items.evaluateAll((items) => items.map(({ classList }) => classList[0]));
    const order = ['day', 'message', 'message', 'day', 'message', 'day', 'message'];
    assert.deepEqual(await inOrder(), order);
    const [first, ...others] = await days();
    assert.match(first, /2024年2月29日星期四/);
    assert.deepEqual(others, ['昨天', '今天']);
    await bob.textsWith('爱丽丝', '大厅');
    assert.deepEqual(await inOrder(), order, 'shown anew');
  });

  await context.test('a list says when it was, in few letters', async () => {
    const last = () => bob.entry('茶馆').locator('time').textContent();
    await said(Date.UTC(2024, 1, 29, 12) / 1_000, '茶馆');
    await until('that year is named', async () => /2024年2月29日/.test(await last()));
    await said(now() - DAY, '茶馆');
    await until('yesterday is named', async () => (await last()) === '昨天');
    await said(now(), '茶馆');
    await until('the time is named', async () => /^\d\d:\d\d$/.test(await last()));
  });

  await context.test('a clock that is out of its mind does no harm', async () => {
    await bob.reads(await said(2 ** 53 - 1));
    await bob.reads(await said(0));
    assert.match((await days()).at(-2), /9999|10000/);
  });

  await context.test('after midnight, today is yesterday', async () => {
    const carol = await Person.comes(context, browser, url, 'Carol');
    await carol.page.clock.install();
    await carol.page.reload();
    await carol.isConnected();
    await carol.opens('大厅');
    const text = await said(now(), '大厅');
    await carol.reads(text);
    const today = () => carol.page.locator('#messages .day').first().textContent();
    assert.equal(await today(), '今天');
    await carol.page.clock.fastForward(DAY * 1_000);
    await until('it was yesterday', async () => (await today()) === '昨天');
    assert.deepEqual(carol.errors, []);
  });

  await context.test('what was sent has a tick, which is read out', async () => {
    await alice.opens('Bob');
    await alice.sends('有勾吗？');
    const fate = alice.page.locator('.mine .fate').last();
    assert.equal(await fate.locator('.mark').textContent(), '✓');
    assert.equal(await fate.locator('.mark').getAttribute('aria-hidden'), 'true');
    assert.equal(await fate.locator('.unseen').textContent(), '发送成功');
  });
  assert.deepEqual([...alice.errors, ...bob.errors], []);
});

/** Texts, and the targets of the links in them. */
const LINKS = [
  ['see https://example.org', ['https://example.org/']],
  ['看https://example.org/路径，再看http://example.org/?q=1&r=2#x。',
    ['https://example.org/%E8%B7%AF%E5%BE%84', 'http://example.org/?q=1&r=2#x']],
  ['(https://example.org/MQTT_(protocol)), or https://example.org/a).',
    ['https://example.org/MQTT_(protocol)', 'https://example.org/a']],
  ['HTTPS://EXAMPLE.ORG!', ['https://example.org/']],
  ['javascript:alert(1) data:text/html,x ftp://example.org file:///etc', []],
  ['https:// http://[ https://bank.example@elsewhere.example', []],
  ['<a href="javascript:alert(1)">https://example.org/"onclick="alert(1)</a>', ['https://example.org/']],
  ['https://example.org/\u202egpj.exe', ['https://example.org/']],
  [`https://example.org/${')'.repeat(4_000)}`, ['https://example.org/']],
];

test('links are links, and safe', TIME, async (context) => {
  const { url } = await startChat(context, ['--own-broker']);
  const browser = await startBrowser(context);
  const { alice, bob } = await aliceAndBob(context, browser, url);
  await alice.opens('Bob');
  await bob.opens('爱丽丝');
  for (const [text, expected] of LINKS) {
    await alice.sends(text);
    await bob.reads(text);
    const links = await bob.page.locator('.message').last().locator('.con a').evaluateAll((links) => {
      return links.map(({ href, target, rel }) => ({ href, target, rel }));
    });
    const safe = { target: '_blank', rel: 'noopener noreferrer' };
    assert.deepEqual(links, expected.map((href) => ({ href, ...safe })), text);
  }
  assert.equal(await bob.page.locator('#messages [onclick]').count(), 0);
  // It can be reached with the keyboard.
  await bob.page.locator('#text').focus();
  const focused = () => bob.page.evaluate(() => document.activeElement.href);
  await until('a link has the focus', async () => {
    await bob.page.keyboard.press('Shift+Tab');
    return (await focused()) === 'https://example.org/';
  });
  assert.deepEqual([...alice.errors, ...bob.errors], []);
});

test('hints are for the device at hand, and nothing comes from elsewhere', TIME, async (context) => {
  const { url } = await startChat(context, ['--own-broker']);
  const browser = await startBrowser(context);
  const desk = await Person.comes(context, browser, url, 'Desk', ENGLISH);
  const seen = ({ page }) => page.locator('#chat').innerText();
  assert.match(await seen(desk), /Open this page in another window/);
  assert.match(await seen(desk), /Shift\+Enter/);
  await desk.page.locator('#sign-out').click();

  const phone = await Person.comes(context, browser, url, 'Phone', { ...ENGLISH, ...PHONE });
  const asked = [];
  phone.page.on('request', (request) => asked.push(new URL(request.url())));
  await phone.page.reload();
  await phone.isConnected();
  assert.match(await seen(phone), /Nobody else is here yet\.\s*$/);
  await phone.page.locator('.entry', { hasText: 'Lobby' }).tap();
  assert.doesNotMatch(await seen(phone), /Enter|Alt|window/);
  // A phone's on-screen keyboard would cover the text.
  assert.notEqual(await phone.page.evaluate(() => document.activeElement.id), 'text');
  assert.ok(asked.length > 20);
  const elsewhere = asked.filter(({ protocol, host }) => protocol !== 'blob:' && host !== new URL(url).host);
  assert.deepEqual(elsewhere.map(String), []);
  assert.deepEqual([...desk.errors, ...phone.errors], []);
});

const LANGUAGES = [
  ['English', 'en-GB', 'Lobby', 'Good morning! The notes are at https://example.org/notes.', 'Thank you, I’ll read them.'],
  ['Chinese', 'zh-CN', '大厅', '早上好！笔记在 https://example.org/notes 。', '谢谢，我在路上看。'],
];

for (const [language, locale, lobby, greeting, answer] of LANGUAGES) {
  test(`in ${language}, nothing is cut off`, TIME, async (context) => {
    const { url } = await startChat(context, ['--own-broker']);
    const browser = await startBrowser(context);
    const names = ['Ann', 'Alexandria-of-Macedonia1'];
    for (const colorScheme of ['light', 'dark']) {
      const desk = await Person.comes(context, browser, url, names[0], { locale, colorScheme });
      const phone = await Person.comes(context, browser, url, names[1], { ...PHONE, locale, colorScheme });
      await desk.opens(lobby);
      await desk.sends(greeting, /./);
      await phone.page.locator('.entry', { hasText: lobby }).tap();
      await phone.reads(greeting);
      await phone.sends(answer, /./);
      await desk.reads(answer);
      await shoot(desk.page, `page-${language}-${colorScheme}-desk`);
      await shoot(phone.page, `page-${language}-${colorScheme}-phone-talk`);
      await phone.page.locator('#back').tap();
      await shoot(phone.page, `page-${language}-${colorScheme}-phone-list`);
      for (const { page } of [desk, phone]) {
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, 'wider than the window');
        await page.locator('#sign-out').click();
        await until('the entrance is there', () => page.locator('#name').isVisible());
      }
      await shoot(phone.page, `page-${language}-${colorScheme}-phone-entrance`);
      await shoot(desk.page, `page-${language}-${colorScheme}-desk-entrance`);
      assert.deepEqual([...desk.errors, ...phone.errors], []);
    }
  });
}
