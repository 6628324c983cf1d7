import { readFileSync } from 'node:fs';

/** The nginx of the Kong that has started this server. Plain data, for structured clone. */
export interface KongMaster {
  readonly master: ProcessMark;
  /** The nginx worker that has started this server. */
  readonly worker: ProcessMark;
}

/** A process, and what tells it from a later one with its number. */
interface ProcessMark {
  readonly pid: number;
  /** When it was started, in clock ticks since the machine was. */
  readonly startedAt: string;
}

interface Seen extends ProcessMark {
  readonly parent: number;
  /** As nginx writes over its command line: `nginx: worker process is shutting down`. */
  readonly title: string;
}

/** A start command may be a script that waits for the server, or a few of them. */
const mostAncestors = 5;

/**
 * The nginx processes above this one, by the names that nginx gives itself (`ngx_setproctitle` in its
 * src/os/unix/ngx_process_cycle.c).
 * @param proc where the system tells of processes
 * @returns null when nginx has not started this process, or the system does not say
 */
export function findKongMaster(parent: number = process.ppid, proc = '/proc'): KongMaster | null {
  let pid = parent;
  for (let count = 0; count < mostAncestors && pid > 0; count += 1) {
    const worker = look(pid, proc);
    if (worker === null) return null;
    if (worker.title.startsWith('nginx: worker process')) {
      const master = look(worker.parent, proc);
      if (master?.title.startsWith('nginx: master process') !== true) return null;
      return { master: mark(master), worker: mark(worker) };
    }
    pid = worker.parent;
  }
  return null;
}

/** Whether that Kong still runs, also where it has started new workers meanwhile. */
export function kongRuns({ master }: KongMaster, proc = '/proc'): boolean {
  return look(master.pid, proc)?.startedAt === master.startedAt;
}

/**
 * Whether the nginx worker that has started this server parts with its requests, or is gone, while Kong goes on: `kong reload`, in
 * which another worker starts a server that follows this one, or `kong quit`. A fast end (`kong stop`) is none, and neither is a
 * signal by hand.
 */
export function workerLeaves({ worker }: KongMaster, proc = '/proc'): boolean {
  const now = look(worker.pid, proc);
  return now?.startedAt !== worker.startedAt || now.title.includes('is shutting down');
}

function mark({ pid, startedAt }: Seen): ProcessMark {
  return { pid, startedAt };
}

/** Null where there is no such process, or one that has ended and is only kept in the list for its parent. */
function look(pid: number, proc: string): Seen | null {
  try {
    const stat = readFileSync(`${proc}/${String(pid)}/stat`, 'utf8');
    // The name is in parentheses, and may hold some itself; the parent is the second field behind it, the start the twentieth.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return null;
    const title = readFileSync(`${proc}/${String(pid)}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return { pid, parent: Number(fields[1]), startedAt: fields[19] ?? '', title };
  } catch {
    return null;
  }
}
