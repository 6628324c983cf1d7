import path from 'node:path';
import { readText } from '../../base/read-text.ts';
import type { Properties } from '../kong-conf.ts';

/** Whether a Kong with this prefix runs on this machine: its `pids/nginx.pid` names a process that is there. */
export function kongRunsIn(properties: Properties): boolean {
  const prefix = properties.get('prefix') ?? '';
  const file = path.join(prefix === '' ? '/usr/local/kong' : prefix, 'pids', 'nginx.pid');
  let pid: number;
  try {
    pid = Number(readText(file, 64).trim());
  } catch {
    return false;
  }
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // The process is there, and belongs to another user.
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
