// A user who handles the page as people do: by what is visible, and with the keyboard.

import assert from 'node:assert/strict';
import { until } from './processes.js';

export class Person {
  /** Opens a window of its own, unless there is one. */
  static async comes(context, browser, url, name, { window, ...options } = {}) {
    if (!window) {
      window = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1000, height: 700 }, ...options });
      context.after(() => window.close());
    }
    const person = new Person(name, window, await window.newPage());
    await person.page.goto(url);
    await person.signsIn();
    await person.isConnected();
    return person;
  }

  constructor(name, window, page) {
    Object.assign(this, { name, window, page, errors: [] });
    // On a slow machine everything takes longer.
    page.setDefaultTimeout(90_000);
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => {
      // Only violations of the page's policy count: unreachable servers are what these tests are about.
      if (message.text().includes('Content Security Policy')) this.errors.push(message.text());
    });
    page.on('dialog', (dialog) => dialog.accept());
  }

  async signsIn(name = this.name) {
    await this.page.locator('#name').fill(name);
    await this.page.keyboard.press('Enter');
  }

  isConnected() {
    return until(`${this.name} is connected`, () => this.page.locator('#state[data-state=online]').isVisible());
  }

  hasLost() {
    return until(`${this.name} sees that the connection is lost`, () => this.page.locator('#notice[data-kind=lost]').isVisible());
  }

  /** The text of the line above everything. */
  notices(pattern) {
    return until(`${this.name} is told ${pattern}`, async () => pattern.test(await this.page.locator('#notice').innerText()));
  }

  /** What the page keeps over a reload: with it, a test can do what the page does not. */
  async ticket() {
    return JSON.parse(await this.page.evaluate(() => sessionStorage.getItem('sitting'))).who;
  }

  entry(name) {
    return this.page.locator('.entry').filter({ has: this.page.getByText(name, { exact: true }) });
  }

  sees(name, isHere = true) {
    const dot = this.entry(name).locator(`.avatar[data-here=${isHere}]`);
    return until(`${this.name} sees that ${name} is ${isHere ? 'here' : 'gone'}`, () => dot.isVisible());
  }

  async opens(name) {
    await until(`${this.name} has opened ${name}`, async () => {
      await this.entry(name).focus();
      await this.page.keyboard.press('Enter');
      return (await this.page.locator('#talk-name').textContent()) === name;
    });
  }

  async writes(text) {
    await this.page.locator('#text').fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** What became of a message of ours: sent or failed. */
  fate(text) {
    const message = this.page.locator('.mine').filter({ has: this.page.getByText(text, { exact: true }) });
    return until(`${this.name} knows what became of "${text}"`, async () => {
      const state = await message.getAttribute('data-state');
      return state !== 'sending' && state;
    });
  }

  async sends(text, fate = /发送成功/) {
    await this.writes(text);
    assert.equal(await this.fate(text), 'sent');
    assert.match(await this.page.locator('.mine .fate').last().textContent(), fate);
  }

  texts() {
    return this.page.locator('#messages .con').allTextContents();
  }

  reads(text) {
    return until(`${this.name} reads "${text}"`, async () => (await this.texts()).includes(text));
  }

  /** The whole conversation with somebody, displayed anew: not as the page has assembled it bit by bit. */
  async textsWith(name, other) {
    await this.opens(other);
    await this.opens(name);
    return this.texts();
  }

  /** The mark for unread messages, once there is one. */
  unread(name) {
    const badge = this.entry(name).locator('.badge');
    return until(`${this.name} has something unread of ${name}`, async () => (await badge.count()) > 0 && parseInt(await badge.textContent(), 10));
  }

  async hasNothingUnread() {
    assert.equal(await this.page.locator('.badge').count(), 0);
  }

  trouble(pattern) {
    return until(`${this.name} sees ${pattern}`, async () => pattern.test(await this.page.locator('#trouble').textContent()));
  }

  /** Passes a file to the page, as the browser's file dialogue does. */
  async picks(buffer, mimeType, name = 'picture') {
    await this.page.locator('#picture').setInputFiles({ name, mimeType, buffer });
  }

  /** The bytes of a displayed picture, saved as people save it. */
  async saves(index) {
    const image = this.page.locator('#messages .picture img').nth(index);
    await until(`${this.name} sees a picture`, () => image.evaluate((image) => image.complete && image.naturalWidth > 0));
    await image.locator('..').focus();
    await this.page.keyboard.press('Enter');
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.page.locator('#save').click()]);
    const chunks = await (await download.createReadStream()).toArray();
    await this.page.keyboard.press('Escape');
    return Buffer.concat(chunks);
  }
}

/** Two people who see each other. */
export async function aliceAndBob(context, browser, url) {
  const alice = await Person.comes(context, browser, url, '爱丽丝');
  const bob = await Person.comes(context, browser, url, 'Bob');
  await alice.sees('Bob');
  await bob.sees('爱丽丝');
  return { alice, bob };
}
