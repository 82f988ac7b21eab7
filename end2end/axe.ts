// The rules of accessibility that a program can check.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { Page } from '@playwright/test';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds on the page as it is now: a line for each element, with the rule it breaks; but for the rules in `without`. */
export async function findings(page: Page, without: string[] = []): Promise<string[]> {
  // The page's policy forbids scripts of others; what the test itself evaluates is not the page's.
  await page.evaluate(SOURCE);
  return page.evaluate(async (without) => {
    const rules = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
    const { violations } = await (window as any).axe.run(document, { resultTypes: ['violations'], rules });
    return violations.flatMap((rule: any) => rule.nodes.map((node: any) => `${rule.id}: ${node.target.join(' ')}: ${node.failureSummary}`));
  }, without);
}
