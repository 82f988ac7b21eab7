// Many rows, and many changes of them, written by another process through the real transaction code.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import type { MusterServer } from './muster-server.ts';

export interface Storm {
  workers: number;
  nets: number;
  /** Changes a second, one transaction each. */
  rate: number;
  seconds: number;
}

export interface Running {
  /** Resolves with the number of changes when the last one is durable. */
  over: Promise<number>;
  /** Resolves when about so many changes were made. */
  reached: (changes: number) => Promise<void>;
}

/** Starts it; resolves when the rows are there. */
export async function startStorm(server: MusterServer, storm: Storm): Promise<Running> {
  const program = process.env.MUSTER_FLEET_STORM;
  if (!program) throw new Error('MUSTER_FLEET_STORM is not set: run the browser tests with `cargo xtask e2e`');
  const args = [storm.workers, storm.nets, storm.rate, storm.seconds].map(String);
  const child = spawn(program, [join(server.data, 'muster.db'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`fleet_storm ended with ${code}:\n${output}`);
    return Number(/changed (\d+) rows/.exec(output)?.[1] ?? 0);
  });
  await Promise.race([printed(child, () => /made \d+ workers/.test(output)), ended]);
  const madeSoFar = () => Number([...output.matchAll(/changed (\d+) so far/g)].at(-1)?.[1] ?? 0);
  const reached = async (changes: number) => {
    if (madeSoFar() < changes) await Promise.race([printed(child, () => madeSoFar() >= changes), ended]);
  };
  return { over: ended, reached };
}

function printed(child: ChildProcess, there: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    child.stdout?.on('data', () => {
      if (there()) resolve();
    });
  });
}
