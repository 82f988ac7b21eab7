// Pictures for the README and for a reviewer's eye.

import { join } from 'node:path';

import type { Page } from '@playwright/test';

const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

/** `<name>-{light,dark}-{1440,390}.png` in the folder that MUSTER_SCREENSHOTS names; nothing without it. */
export async function takeScreenshots(page: Page, name: string): Promise<void> {
  const folder = process.env.MUSTER_SCREENSHOTS;
  if (!folder) return;
  const before = page.viewportSize();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${size.width}.png`), animations: 'disabled' });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (before) await page.setViewportSize(before);
}
