// Events of the log as rows of the journal, for pages that are looked at without waiting for so much to happen.

import { expect, type Page } from '@playwright/test';

import { ask } from './fleet.ts';
import { append } from './hosts.ts';
import type { MusterServer } from './muster-server.ts';

export interface Logged {
  type?: string;
  severity?: 'info' | 'success' | 'warning' | 'error';
  text: string;
  at?: number;
  [more: string]: unknown;
}

/** Appends these events, in this order, after those that there are; the number of the first of them. */
export async function log(page: Page, server: MusterServer, events: Logged[]): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await logOnce(page, server, events);
    } catch (error) {
      // The console took the number for an event of its own meanwhile.
      if (tries === 5 || !String(error).includes('UNIQUE')) throw error;
    }
  }
}

async function logOnce(page: Page, server: MusterServer, events: Logged[]): Promise<number> {
  const { state } = await ask(page, 'get', 'state');
  const first = Math.max(0, ...state.events.map((event: any) => event.id)) + 1;
  const changes = events.map((event, n) => ({
    change: 'event_logged',
    event: { id: first + n, at: Date.now(), type: 'worker.status.updated', severity: 'info', actor: { kind: 'system' }, ...event },
  }));
  await append(server, changes);
  // The server reads what is written beside it a moment later.
  const last = first + events.length - 1;
  await expect
    .poll(async () => Math.max(0, ...(await ask(page, 'get', 'state')).state.events.map((event: any) => event.id)))
    .toBeGreaterThanOrEqual(last);
  return first;
}
