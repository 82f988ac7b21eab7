// The browser tests. `cargo xtask e2e` builds what they need and runs them.
//
// Two projects: `hydrated` runs every test but those tagged @no-js; `no-js` has JavaScript switched off and runs those tagged @no-js or
// @both. So a test of what must work either way is written once:
//
//     test('a worker can be created', { tag: '@both' }, async ({ admin }) => { … });

import { availableParallelism } from 'node:os';

import { defineConfig } from '@playwright/test';

const asRoot = process.getuid?.() === 0;

/** Files whose tests hold times against limits: they need a core to themselves. */
const ALONE = /\/(bignet|events-load|faults|feed|load|log|realtime|silence|story|tabs)\.spec\.ts$/;

// `cargo xtask test` runs all tests in two passes: `together`, then `alone`. Files that are named run one by one.
const pass = process.env.MUSTER_PASS;
/** Two browsers on two cores: waiting longer proves the same. */
const patience = pass === 'together' ? 2 : 1;

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  // The tests of one file share a server and run in order.
  fullyParallel: false,
  testMatch: pass === 'alone' ? ALONE : undefined,
  testIgnore: pass === 'together' ? ALONE : undefined,
  workers: pass === 'together' && availableParallelism() > 1 ? 2 : 1,
  // A browser on a busy machine fails now and then for reasons of its own. What passes at the second try is told as flaky, by name.
  retries: 1,
  forbidOnly: !!process.env.CI,
  timeout: 60_000 * patience,
  expect: { timeout: 5_000 * patience },
  // The JSON goes to the file that PLAYWRIGHT_JSON_OUTPUT_FILE names.
  reporter: process.env.PLAYWRIGHT_JSON_OUTPUT_FILE ? [['list'], ['json']] : 'list',
  use: {
    locale: 'en-GB',
    timezoneId: 'UTC',
    viewport: { width: 1440, height: 900 },
    actionTimeout: 10_000 * patience,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.MUSTER_CHROMIUM ?? '/usr/bin/chromium',
      args: [
        ...(asRoot ? ['--no-sandbox'] : []),
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'hydrated', grepInvert: /@no-js/ },
    { name: 'no-js', grep: /@no-js|@both/, use: { javaScriptEnabled: false } },
  ],
});
