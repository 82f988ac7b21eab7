// What a test asks for. `import { test, expect } from '../fixtures.ts'` instead of from Playwright.

import { type Page, test as base } from '@playwright/test';

import { signInAsAdministrator } from './accounts.ts';
import { ConsoleGuard } from './console-guard.ts';
import { MusterServer } from './muster-server.ts';
import { takeScreenshots } from './screenshots.ts';

export { expect } from '@playwright/test';

interface TestFixtures {
  /** The server of this test file: its own process, its own empty data folder. */
  server: MusterServer;
  /** Fails the test on any error in the console; `consoleGuard.allow(/…/)` for one that the test provokes. */
  consoleGuard: ConsoleGuard;
  /** `page`, signed in as the administrator that the setup link made. */
  admin: Page;
  /** Stops the server and starts it again with the same data and address. The page stays open. */
  restartServer: () => Promise<void>;
  /** Saves `page` as it is, light and dark, wide and narrow, when screenshots are asked for. */
  picture: (name: string) => Promise<void>;
}

interface WorkerFixtures {
  /** The server that is running now, and for which test file. */
  running: { server?: MusterServer; file?: string };
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  running: [
    async ({}, use) => {
      const running: WorkerFixtures['running'] = {};
      await use(running);
      await running.server?.dispose();
    },
    { scope: 'worker' },
  ],

  server: async ({ running }, use, testInfo) => {
    if (!running.server || running.file !== testInfo.file) {
      await running.server?.dispose();
      running.server = await MusterServer.start();
      running.file = testInfo.file;
    }
    await use(running.server);
    if (testInfo.status !== testInfo.expectedStatus) {
      await testInfo.attach('server.log', { body: running.server.log(), contentType: 'text/plain' });
    }
  },

  baseURL: async ({ server }, use) => {
    await use(server.url);
  },

  consoleGuard: [
    async ({ context }, use) => {
      const guard = new ConsoleGuard(context);
      await use(guard);
      guard.check();
    },
    { auto: true },
  ],

  admin: async ({ page, server }, use) => {
    await signInAsAdministrator(page, server);
    await use(page);
  },

  restartServer: async ({ server, consoleGuard }, use) => {
    await use(async () => {
      consoleGuard.allowLostConnections();
      await server.restart();
    });
  },

  picture: async ({ page }, use) => {
    await use((name) => takeScreenshots(page, name));
  },
});
