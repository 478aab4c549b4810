// Somebody who uses the page as people do: by what is to be seen, and by the keyboard.

import assert from 'node:assert/strict';
import { until } from './processes.js';

export class Person {
  static async comes(context, browser, url, name, options = {}) {
    const window = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1000, height: 700 }, ...options });
    const page = await window.newPage();
    const person = new Person(name, window, page);
    context.after(() => window.close());
    page.on('pageerror', (error) => person.errors.push(String(error)));
    await page.goto(url);
    await page.keyboard.type(name);
    await page.keyboard.press('Enter');
    await person.isConnected();
    return person;
  }

  constructor(name, window, page) {
    Object.assign(this, { name, window, page, errors: [] });
  }

  isConnected() {
    return until(`${this.name} is connected`, () => this.page.locator('#state[data-state=connected]').isVisible());
  }

  hasLost() {
    return until(`${this.name} sees that the connection is lost`, () => this.page.locator('#lost').isVisible());
  }

  entry(name) {
    return this.page.locator('.entry').filter({ has: this.page.getByText(name, { exact: true }) });
  }

  sees(name, isHere = true) {
    const dot = this.entry(name).locator(`.avatar[data-here=${isHere}]`);
    return until(`${this.name} sees that ${name} is ${isHere ? 'here' : 'gone'}`, () => dot.isVisible());
  }

  async opens(name) {
    await this.entry(name).focus();
    await this.page.keyboard.press('Enter');
    await until(`${this.name} has opened ${name}`, async () => (await this.page.locator('#talk-name').textContent()) === name);
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

  async sends(text) {
    await this.writes(text);
    assert.equal(await this.fate(text), 'sent');
    assert.match(await this.page.locator('.mine .fate').last().textContent(), /发送成功/);
  }

  texts() {
    return this.page.locator('#messages .con').allTextContents();
  }

  reads(text) {
    return until(`${this.name} reads "${text}"`, async () => (await this.texts()).includes(text));
  }

  unread(name) {
    return this.entry(name).locator('.badge').textContent();
  }
}
