// The page follows the server through whatever happens to the network between them.

import type { Page } from '@playwright/test';

import type { ConsoleGuard } from '../console-guard.ts';
import { expect, test } from '../fixtures.ts';
import { Front, type Kind, program } from '../front.ts';
import type { MusterServer } from '../muster-server.ts';
import { Proxy } from '../proxy.ts';

/** However long the network is silent, the page says so after this. */
const LEAVES_GREEN_WITHIN = 15_000;
/** A try that fell into the fault takes 12 s to be given up; the next one comes within the backoff. */
const RECOVERS_WITHIN = 45_000;

/** Longer than HAProxy's time limit here, with room. */
const STAYS_OPEN = 17_000;

test.describe.configure({ timeout: 120_000 });

function connected(page: Page) {
  return page.getByText('Realtime: connected');
}

/** The workers page at `url`, live, and marked so that a reload would be noticed. */
async function openWorkers(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/workers`);
  await expect(connected(page)).toBeVisible();
  await page.evaluate(() => ((window as any).notReloaded = true));
}

/** Creates a worker by a way that no fault is on. */
async function change(page: Page, server: MusterServer, name: string): Promise<void> {
  const [cluster] = await (await page.request.get(`${server.url}/api/clusters`)).json();
  const data = { name, cluster_id: cluster.id, category: 'ephemeral', cpus: 1, memory_mb: 64 };
  const answer = await page.request.post(`${server.url}/api/workers`, { data });
  expect(answer.status()).toBe(201);
}

/** The page is live again, without a reload, and shows what the server has: each row, once. */
async function recovers(page: Page, server: MusterServer): Promise<void> {
  await expect(connected(page)).toBeVisible({ timeout: RECOVERS_WITHIN });
  const truth = (await (await page.request.get(`${server.url}/api/workers`)).json()).map((worker: any) => worker.name);
  const rows = page.locator('[data-worker]');
  const shown = () => rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-worker')).sort());
  await expect.poll(shown).toEqual(truth.sort());
  expect(await page.evaluate(() => (window as any).notReloaded)).toBe(true);
}

async function leavesGreen(page: Page): Promise<void> {
  const since = Date.now();
  await expect(connected(page)).toBeHidden({ timeout: LEAVES_GREEN_WITHIN });
  console.log(`    the badge left green after ${((Date.now() - since) / 1000).toFixed(1)} s`);
}

/** The faults that are silent or broken, each on a page that was live, through whatever leads to `network`. */
async function withFault(page: Page, server: MusterServer, network: Proxy, name: string, fault: () => void): Promise<void> {
  fault();
  await change(page, server, name);
  await leavesGreen(page);
  network.set('pass');
  await recovers(page, server);
}

const faultTest = test.extend<{ network: Proxy; workers: Page }>({
  network: async ({ server }, use) => {
    const network = await Proxy.to(server.url);
    await use(network);
    await network.close();
  },
  /** The workers page, seen through the network. */
  workers: async ({ admin, network, consoleGuard }, use) => {
    consoleGuard.allowLostConnections();
    await openWorkers(admin, network.url);
    await use(admin);
  },
});

faultTest('cut: the connection ends, and new ones are refused', async ({ workers, server, network }) => {
  await withFault(workers, server, network, 'cut', () => {
    network.set('refuse');
    network.cut();
  });
});

faultTest('reset: the connection breaks, and new ones are refused', async ({ workers, server, network }) => {
  await withFault(workers, server, network, 'reset', () => {
    network.set('refuse');
    network.reset();
  });
});

faultTest('a cut that heals at once loses nothing', async ({ workers, server, network }) => {
  for (const name of ['blink-1', 'blink-2', 'blink-3']) {
    const before = network.connections;
    network.cut();
    await change(workers, server, name);
    await expect.poll(() => network.connections, { timeout: RECOVERS_WITHIN }).toBeGreaterThan(before);
    await recovers(workers, server);
  }
});

faultTest('half-open: the connection looks open and delivers nothing', async ({ workers, server, network }) => {
  await withFault(workers, server, network, 'half-open', () => network.set('half-open'));
  expect(network.swallowed).toBeGreaterThan(0);
});

faultTest('stall: the connection stops moving and goes on', async ({ workers, server, network }) => {
  await withFault(workers, server, network, 'stall', () => network.set('stall'));
});

faultTest('one byte at a time is slow, and right', async ({ workers, server, network }) => {
  network.set('byte-by-byte');
  await change(workers, server, 'bytes-1');
  await expect(workers.locator('[data-worker="bytes-1"]')).toHaveCount(1);
  const before = network.connections;
  network.cut();
  await change(workers, server, 'bytes-2');
  await expect.poll(() => network.connections, { timeout: RECOVERS_WITHIN }).toBeGreaterThan(before);
  await recovers(workers, server);
});

faultTest('the server restarts', async ({ workers, server, restartServer }) => {
  await restartServer();
  await change(workers, server, 'restarted');
  await expect(workers.locator('[data-worker="restarted"]')).toHaveCount(1, { timeout: RECOVERS_WITHIN });
  await recovers(workers, server);
});

faultTest('the browser goes offline and comes back', async ({ workers, server, context }) => {
  await context.setOffline(true);
  await expect(workers.getByText('Realtime: disconnected, the browser is offline')).toBeVisible();
  await change(workers, server, 'offline');
  await context.setOffline(false);
  const back = Date.now();
  await recovers(workers, server);
  expect(Date.now() - back, 'it is tried at once').toBeLessThan(10_000);
});

faultTest('wake from sleep: what looked open is dead, and the page recovers', async ({ workers, server, network, browser }) => {
  await workers.evaluate(() => {
    let last = performance.now();
    setInterval(() => {
      const now = performance.now();
      (window as any).slept = Math.max((window as any).slept ?? 0, now - last);
      last = now;
    }, 100);
  });
  const devtools = await browser.newBrowserCDPSession();
  const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
  const renderers = processInfo.filter((process) => process.type === 'renderer').map((process) => process.id);
  expect(renderers.length).toBeGreaterThan(0);
  // Asleep: nothing of the page runs, and the network forgets the connection.
  renderers.forEach((pid) => process.kill(pid, 'SIGSTOP'));
  try {
    network.set('half-open');
    await change(workers, server, 'slept');
    // The sleep is as long as three beacons, or the change and two of them, are lost.
    for (let lost = 0; lost < 3; lost += 1) {
      const before = network.swallowed;
      await expect.poll(() => network.swallowed, { timeout: 10_000, intervals: [50] }).toBeGreaterThan(before);
    }
    network.set('pass');
  } finally {
    renderers.forEach((pid) => process.kill(pid, 'SIGCONT'));
  }
  const woke = Date.now();
  await recovers(workers, server);
  console.log(`    right again ${((Date.now() - woke) / 1000).toFixed(1)} s after waking up`);
  expect(await workers.evaluate(() => (window as any).slept), 'it really slept').toBeGreaterThan(4_000);
});

faultTest('going back never shows a page that the browser kept: it is loaded anew, and right', async ({ admin, server, network, playwright, launchOptions }) => {
  // Playwright switches the back/forward cache off; an operator's browser has it. Pages say `no-store`, which keeps them out of it.
  const browser = await playwright.chromium.launch({ ...launchOptions, ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  try {
    const page = await (await browser.newContext()).newPage();
    await page.context().addCookies(await admin.context().cookies());
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Page.enable');
    const reasons: string[] = [];
    devtools.on('Page.backForwardCacheNotUsed', ({ notRestoredExplanations }) => {
      reasons.push(...notRestoredExplanations.map(({ reason }) => reason));
    });
    await openWorkers(page, network.url);
    await page.goto('about:blank');
    network.cut();
    await change(admin, server, 'went-back');
    await page.evaluate(() => history.back());
    await expect(page.locator('[data-worker="went-back"]')).toHaveCount(1);
    await expect(connected(page)).toBeVisible();
    expect(await page.evaluate(() => (window as any).notReloaded)).toBeUndefined();
    // The cache is on, or this would show nothing.
    expect(reasons).toContain('MainResourceHasCacheControlNoStore');
  } finally {
    await browser.close();
  }
});

for (const kind of ['nginx', 'haproxy'] as Kind[]) {
  const frontTest = test.extend<{ network: Proxy; front: Front; workers: Page }>({
    network: async ({ server }, use) => {
      const network = await Proxy.to(server.url);
      await use(network);
      await network.close();
    },
    front: async ({ network }, use) => {
      test.skip(!program(kind), `${kind} is not installed, and could not be: install it from your package manager`);
      const front = await Front.start(kind, network.url);
      await use(front);
      await front.stop();
    },
    workers: async ({ admin, front, consoleGuard }, use) => {
      forgive(consoleGuard);
      await openWorkers(admin, front.url);
      await use(admin);
    },
  });

  frontTest(`behind ${kind}: a stream stays open, and changes come at once`, async ({ workers, server }) => {
    await change(workers, server, `${kind}-early`);
    await expect(workers.locator(`[data-worker="${kind}-early"]`)).toHaveCount(1);
    // Green all the time, for longer than any of its time limits for a silent connection.
    const streams: string[] = [];
    workers.on('request', (request) => {
      if (request.url().includes('/api/sync')) streams.push(request.url());
    });
    const opened = Date.now();
    const green = async () => ((await connected(workers).isVisible()) ? Date.now() - opened : NaN);
    await expect
      .poll(async () => {
        const lasted = await green();
        return Number.isNaN(lasted) ? 'not green' : lasted > STAYS_OPEN;
      }, { timeout: STAYS_OPEN + 5_000 })
      .not.toBe(false);
    expect(await green()).toBeGreaterThan(STAYS_OPEN);
    expect(streams, 'the stream is the one it was').toEqual([]);
    await change(workers, server, `${kind}-late`);
    await expect(workers.locator(`[data-worker="${kind}-late"]`)).toHaveCount(1, { timeout: 1_000 });
    await recovers(workers, server);
  });

  frontTest(`behind ${kind}: cut`, async ({ workers, server, network }) => {
    await withFault(workers, server, network, `${kind}-cut`, () => {
      network.set('refuse');
      network.reset();
    });
  });

  frontTest(`behind ${kind}: half-open`, async ({ workers, server, network }) => {
    await withFault(workers, server, network, `${kind}-half-open`, () => network.set('half-open'));
  });

  frontTest(`behind ${kind}: stall`, async ({ workers, server, network }) => {
    await withFault(workers, server, network, `${kind}-stall`, () => network.set('stall'));
  });
}

/** A proxy in front has answers of its own for a server that is not there. */
function forgive(consoleGuard: ConsoleGuard): void {
  consoleGuard.allowLostConnections();
  consoleGuard.allow(/status of 50[234]/);
}
