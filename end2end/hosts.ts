// Hosts, commands and pipelines as rows of the journal, for pages that are looked at without agents.

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import type { MusterServer } from './muster-server.ts';

/** Appends one transaction of these changes from outside, as `examples/journal_append.rs` does. */
export async function append(server: MusterServer, changes: unknown[]): Promise<void> {
  const program = process.env.MUSTER_JOURNAL_APPEND;
  if (!program) throw new Error('MUSTER_JOURNAL_APPEND is not set: run the browser tests with `cargo xtask e2e`');
  await new Promise<void>((resolve, reject) => {
    const child = execFile(program, [join(server.data, 'muster.db'), '-'], (error, _, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`));
      else resolve();
    });
    child.stdin?.end(JSON.stringify(changes));
  });
}

export const OFFERS = ['pull', 'switch', 'test', 'restart'].map((kind) => ({ kind, timeout_s: 600, checks: [] }));

export function host(name: string, more: object = {}): any {
  const now = Date.now();
  const compartment = (status: string, message: string) => ({ status, message, checked_at: now - 40_000 });
  return {
    id: randomUUID(),
    name,
    hostname: name,
    host_type: 'nixos',
    os: 'NixOS 26.05',
    theme_color: '#7aa2f7',
    online: true,
    online_since: now,
    last_seen: now,
    agent: { id: randomUUID(), version: '0.1.0', outdated: false },
    generation: '4f1c2a7be0',
    git_head: '4f1c2a7be09d3c5512d6a0d1e5c2b4f6a7980c1d',
    compartments: {
      git: compartment('ok', 'Up to date with origin/main'),
      lock: compartment('outdated', 'The lock file is 0a1b2c3d4e, expected is 5f6a7b8c9d'),
      system: compartment('ok', 'What is deployed is what is checked out'),
    },
    commands: OFFERS,
    revision: 1,
    state_revision: 1,
    created_at: now,
    updated_at: now,
    ...more,
  };
}

export function command(on: { id: string }, kind: string, status: string, more: object = {}): any {
  const now = Date.now();
  const over = !['queued', 'running'].includes(status);
  return {
    id: randomUUID(),
    host_id: on.id,
    kind,
    actor: { kind: 'system' },
    status,
    queued_at: now - 9_000,
    expires_at: now + 86_400_000,
    dispatched_at: now - 8_000,
    started_at: now - 8_000,
    ...(over ? { finished_at: now - 2_000 } : {}),
    output_bytes: 0,
    revision: 1,
    ...more,
  };
}

export function pipeline(hosts: { id: string }[], cells: object[][], more: object = {}): any {
  return {
    id: randomUUID(),
    title: 'Deploy #42 Update the lock file',
    actor: { kind: 'system' },
    status: 'running',
    stages: ['pull', 'switch'],
    lanes: hosts.map((host, n) => ({ host_id: host.id, cells: cells[n] ?? [{ state: 'waiting' }, { state: 'waiting' }] })),
    concurrency: 2,
    canary: 1,
    stop_after_failures: 1,
    created_at: Date.now() - 30_000,
    revision: 1,
    ...more,
  };
}

export const hostPut = (host: object) => ({ change: 'host_put', cause: 'reported', host });
export const commandPut = (command: object) => ({ change: 'command_put', cause: 'progress', command });
export const pipelinePut = (pipeline: object) => ({ change: 'pipeline_put', pipeline });

export const PULL_REQUEST = {
  change: 'pull_request_put',
  pull_request: {
    number: 42,
    title: 'Update the lock file',
    url: 'https://example.invalid/pull/42',
    head_sha: '9c8b7a6f5e4d3c2b1a09f8e7d6c5b4a392817061',
    mergeable: true,
    checks: 'passing',
    revision: 1,
    updated_at: Date.now(),
  },
};
