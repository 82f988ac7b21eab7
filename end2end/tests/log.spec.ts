// The panel of logs: colours, search, following, and a flood of lines. With MUSTER_MEASURE=1 (against a release build) the flood is also
// held against the limit: no task of the page longer than 50 ms.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { append, command, commandPut, host, hostPut } from '../hosts.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

const MEASURE = process.env.MUSTER_MEASURE === '1';
const one = host('hsb1');
const running = command(one, 'test', 'running');
one.pending_command = running.id;

/** Answers the stream of a command's output within the page: so many lines in all, at so many a second. */
async function stream(page: Page, lines: number, rate: number, text = 'line'): Promise<void> {
  await page.addInitScript(
    ({ lines, rate, text }) => {
      const real = window.fetch.bind(window);
      window.fetch = async (input, init) => {
        const url = input instanceof Request ? input.url : String(input);
        const from = /\/api\/watch\?command=[^:]*:(\d+)/.exec(decodeURIComponent(url));
        if (!from) return real(input, init);
        const encoder = new TextEncoder();
        let [sent, offset, begun] = [0, 0, 0];
        const body = new ReadableStream({
          start: () => void (begun = performance.now()),
          async pull(controller) {
            const due = () => Math.min(lines, Math.floor(((performance.now() - begun) * rate) / 1000));
            while (due() <= sent) await new Promise((resolve) => setTimeout(resolve, 10));
            let piece = '';
            for (const to = due(); sent < to; sent += 1) piece += sent % 1000 === 7 ? `\u001b[31mred ${sent}\u001b[0m <b>\n` : `${text} ${sent}\n`;
            const size = encoder.encode(piece).length;
            controller.enqueue(encoder.encode(`event: output\ndata: ${JSON.stringify({ offset, size, text: piece })}\n\n`));
            offset += size;
            if (sent >= lines) {
              controller.enqueue(encoder.encode(`event: end\ndata: ${JSON.stringify({ offset, status: 'succeeded' })}\n\n`));
              controller.close();
            }
          },
        });
        return new Response(body, { status: 200, headers: { 'Content-Type': 'text/event-stream' } });
      };
    },
    { lines, rate, text },
  );
}

async function open(page: Page): Promise<void> {
  await page.goto('/hosts');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await page.locator('[data-host="hsb1"] .command-now').click();
  await expect(page.getByRole('tab', { name: /test@hsb1/ })).toBeVisible();
}

test('a log is text in colours, searched, wrapped and paused, and goes along from page to page', async ({ admin: page, server, picture }) => {
  await append(server, [hostPut(one), commandPut(running)]);
  await stream(page, 2_000, 20_000);
  await open(page);
  const log = page.getByRole('log');
  await expect(log).toContainText('line 1999');
  expect(await page.locator('.log-line').count(), 'only what is seen is in the page').toBeLessThan(80);

  await page.getByLabel('Search the log').fill('RED');
  await expect(page.locator('.log-found')).toHaveText('2 lines');
  await page.keyboard.press('Enter');
  await expect(page.locator('.log-found')).toHaveText('1 of 2');
  await expect(page.locator('.log-line.current mark').first()).toHaveText('red');
  await expect(page.locator('.log-line.current')).toHaveText('red 7 <b>');
  await expect(page.locator('.log-line.current .ink-1, .log-line.current mark.ink-1').first()).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.locator('.log-line.current')).toHaveText('red 1007 <b>');
  await picture('log');

  await page.getByRole('button', { name: 'Wrap' }).click();
  await expect(page.locator('.log-lines.wraps')).toBeVisible();
  await page.getByRole('button', { name: 'Follow' }).click();
  await expect(log).toContainText('line 1999');

  await page.getByRole('link', { name: 'Nets' }).first().click();
  await expect(page.getByRole('heading', { name: /Nets/ })).toBeVisible();
  await expect(page.getByRole('tab', { name: /test@hsb1/ })).toBeVisible();
  await expect(log).toContainText('line 1999');

  const grip = page.getByRole('separator', { name: 'Height of the log' });
  const before = (await log.boundingBox())!.height;
  await grip.focus();
  await page.keyboard.press('ArrowUp');
  await expect.poll(async () => (await log.boundingBox())!.height).toBeGreaterThan(before);
  await page.getByRole('button', { name: 'Close this log' }).click();
  await expect(page.getByRole('tab')).toHaveCount(0);
});

test('ten thousand lines a second are all there, and only what is seen is in the page', async ({ admin: page }) => {
  await stream(page, 100_000, 10_000, 'a line of the usual length, as builds and tests write them');
  await page.addInitScript(() => {
    const tasks: number[] = ((window as any).longTasks = []);
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ entryTypes: ['longtask'] });
  });
  await open(page);
  await page.evaluate(() => ((window as any).longTasks.length = 0));
  await expect(page.getByRole('log')).toContainText(/ 99999/, { timeout: 60_000 });
  const tasks: number[] = await page.evaluate(() => (window as any).longTasks);
  const longest = Math.max(0, ...tasks);
  const words = `${tasks.length} tasks over 50 ms in 10 s of 10,000 lines a second, the longest ${Math.round(longest)} ms`;
  test.info().annotations.push({ type: 'measured', description: words });
  console.log(`    ${words}`);
  expect(await page.locator('.log-line').count()).toBeLessThan(80);
  if (MEASURE) expect(longest).toBeLessThan(50);
  // Paused, what is read stays where it is.
  await page.getByRole('log').evaluate((log) => log.scrollTo(0, 0));
  await expect(page.getByRole('log')).toContainText('usual length, as builds and tests write them 0');
  await expect(page.getByRole('button', { name: 'Follow' })).toBeVisible();
});
