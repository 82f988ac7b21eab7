// Nets: several files at once, and moving about in a drawing.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '../fixtures.ts';

const SAMPLES = join(import.meta.dirname, '..', '..', 'src', 'petri', 'samples');
const PNML = readFileSync(join(SAMPLES, 'producer_consumer.pnml'));
const file = (name: string, buffer: Buffer) => ({ name, mimeType: 'text/xml', buffer });

test('several files: each has its own result', async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/status of (409|422)/);
  await page.goto('/nets');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await page.getByText('Add net').first().click();
  await page.getByLabel(/PNML file/i).setInputFiles([
    file('good.pnml', PNML),
    file('bad.pnml', Buffer.from('this is no net')),
    file('again.pnml', Buffer.from(PNML.toString().replace(/<text>Prod[^<]*<\/text>/, '<text>Another one</text>'))),
  ]);
  const files = page.getByRole('list', { name: 'Files' });
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  // The sample has this name already.
  await expect(files.getByRole('listitem').nth(0)).toContainText(/refused.*Choose another name/);
  await expect(files.getByRole('listitem').nth(1)).toContainText(/refused.*line 1/);
  await expect(files.getByRole('listitem').nth(2).getByRole('link')).toHaveText('Another one');
});

test('files are dropped on the page, and text is pasted into it', async ({ admin: page }) => {
  await page.goto('/nets');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], 'dropped.pnml', { type: 'text/xml' }));
    for (const kind of ['dragover', 'drop']) document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }, PNML.toString().replace(/<text>Prod[^<]*<\/text>/, '<text>Dropped</text>'));
  await expect(page.getByRole('list', { name: 'Files' }).getByRole('link')).toHaveText('Dropped');
  await page.evaluate((text) => {
    (document.activeElement as HTMLElement | null)?.blur();
    const data = new DataTransfer();
    data.setData('text', text);
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, PNML.toString());
  await expect(page.getByLabel('or paste it')).toHaveValue(PNML.toString());
});

test('a drawing is moved about in by keys, wheel, drag and buttons', async ({ admin: page }) => {
  await page.goto('/nets');
  await page.getByRole('link', { name: /^Prod/ }).first().click();
  const drawing = page.locator('svg.drawing');
  await expect(drawing).toBeVisible();
  const all = await drawing.getAttribute('viewBox');
  const box = (await drawing.boundingBox())!;
  const seen = () => drawing.getAttribute('viewBox');
  const width = async () => Number((await seen())!.split(' ')[2]);

  // The wheel alone scrolls; with Ctrl it zooms.
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, -100);
  expect(await seen()).toBe(all);
  await page.keyboard.down('Control');
  await expect(async () => {
    await page.mouse.wheel(0, -100);
    expect(await seen()).not.toBe(all);
  }).toPass();
  await page.keyboard.up('Control');

  const before = await seen();
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 60, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  expect(await seen()).not.toBe(before);

  await page.getByRole('button', { name: 'Fit' }).click();
  await expect(drawing).toHaveAttribute('viewBox', all!);
  const narrow = box.width;
  await page.locator('.place').first().focus();
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  expect(await width()).toBeLessThan(narrow);
  await page.keyboard.press('0');
  await expect(drawing).toHaveAttribute('viewBox', all!);

  const find = page.getByRole('searchbox', { name: 'Find a place or transition' });
  const name = (await page.locator('.transition title').first().textContent())!;
  await find.fill(name);
  await find.press('Enter');
  await expect(page.locator('.inspector h2')).toHaveText(name);
});
